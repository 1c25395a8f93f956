"""`python -m tests.sync_deps` rewrites the code part of `deps` in dvc.yaml and base/dvc.yaml from the imports."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.first_party import PACKAGES, ROOT, module_file, stage_code, step_code

_CODE = tuple(f"{package}/" for package in PACKAGES)
Code = Callable[[str], list[str]]


def main_code(stage: str) -> list[str]:
    """Code of a stage of dvc.yaml; its own file where that is still to be written."""
    return stage_code(stage) if module_file(f"stages.{stage}") else [f"stages/{stage}.py"]


def base_code(stage: str) -> list[str]:
    """Code of a stage of base/dvc.yaml, as paths from there."""
    return [f"../{path}" for path in step_code(stage)]


def synced(text: str, code: Code = main_code) -> str:
    """dvc.yaml with each `deps` list holding its data first, then the stage's code; all else is kept."""
    result: list[str] = []
    stage, indent = "", ""
    data: list[str] | None = None
    for line in [*text.splitlines(), ""]:
        if named := re.fullmatch(r"  (\w+):", line):
            stage = named[1]
        if data is not None and not line.startswith(f"{indent}- "):
            result += [f"{indent}- {path}" for path in [*data, *code(stage)]]
            data = None
        if data is not None:
            path = line.removeprefix(f"{indent}- ")
            data += [] if path.removeprefix("../").startswith(_CODE) else [path]
            continue
        result.append(line)
        if opened := re.fullmatch(r"( +)deps:", line):
            indent, data = opened[1], []
    return "\n".join(result).rstrip("\n") + "\n"


if __name__ == "__main__":
    for name, code in (("dvc.yaml", main_code), ("base/dvc.yaml", base_code)):
        file = ROOT / name
        before = file.read_text(encoding="utf-8")
        after = synced(before, code)
        file.write_text(after, encoding="utf-8")
        print(f"{name}: deps rewritten" if after != before else f"{name}: nothing to do")
