"""`python -m tests.sync_deps` rewrites the code part of every stage's `deps` in dvc.yaml from its imports."""

from __future__ import annotations

import re

from tests.first_party import PACKAGES, ROOT, module_file, stage_code

_CODE = tuple(f"{package}/" for package in PACKAGES)


def synced(text: str) -> str:
    """dvc.yaml with each `deps` list holding its data first, then the stage's code; all else is kept."""
    result: list[str] = []
    stage, indent, data = "", "", None
    for line in [*text.splitlines(), ""]:
        if named := re.fullmatch(r"  (\w+):", line):
            stage = named[1]
        if data is not None and not line.startswith(f"{indent}- "):
            code = stage_code(stage) if module_file(f"stages.{stage}") else [f"stages/{stage}.py"]
            result += [f"{indent}- {path}" for path in [*data, *code]]
            data = None
        if data is not None:
            path = line.removeprefix(f"{indent}- ")
            data += [] if path.startswith(_CODE) else [path]
            continue
        result.append(line)
        if opened := re.fullmatch(r"( +)deps:", line):
            indent, data = opened[1], []
    return "\n".join(result).rstrip("\n") + "\n"


if __name__ == "__main__":
    file = ROOT / "dvc.yaml"
    before = file.read_text(encoding="utf-8")
    after = synced(before)
    file.write_text(after, encoding="utf-8")
    print("dvc.yaml: deps rewritten" if after != before else "dvc.yaml: nothing to do")
