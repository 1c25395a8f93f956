"""The project's own import graph, read from the source with ast, and the code files each stage stands on."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("voice", "stages", "pipeline")
_DATA = {".j2", ".json", ".tsv", ".txt"}


def module_file(name: str) -> Path | None:
    """File of a first-party module or package, or None."""
    stem = ROOT.joinpath(*name.split("."))
    for file in (stem.with_suffix(".py"), stem / "__init__.py"):
        if file.is_file():
            return file
    return None


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute here"
        return [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


@cache
def imports(file: Path) -> frozenset[str]:
    """Every dotted name a file imports, at its top or inside a function; third-party ones too."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(name for node in ast.walk(tree) for name in _names(node))


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts) + 1)]


def _has_code(file: Path) -> bool:
    body = ast.parse(file.read_text(encoding="utf-8")).body
    return any(not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)) for n in body)


def closure(start: Path) -> set[Path]:
    """`start` and every first-party file it imports, directly or not; packages with no code are left out."""
    found: set[Path] = set()
    queue = [start]
    while queue:
        file = queue.pop()
        if file in found:
            continue
        found.add(file)
        for name in imports(file):
            if name.split(".")[0] in PACKAGES:
                queue += [found_file for part in _parents(name) if (found_file := module_file(part))]
    return {file for file in found if file == start or file.name != "__init__.py" or _has_code(file)}


def stage_code(stage: str) -> list[str]:
    """Code and tables that a stage depends on, as sorted paths from the project's root."""
    package = module_file(f"stages.{stage}")
    assert package is not None, f"stages/{stage}.py does not exist"
    start = module_file("stages")
    return with_tables(closure(package) | {file for file in [start] if file and _has_code(file)})


def step_code(step: str) -> list[str]:
    """Code and tables that a step of `python -m voice.pretrain` depends on, as sorted paths from the project's root."""
    module = module_file(f"voice.pretrain.{step}")
    command = module_file("voice.pretrain.__main__")
    assert module is not None and command is not None, f"voice/pretrain/{step}.py does not exist"
    return with_tables(closure(module) | closure(command))


def with_tables(files: set[Path]) -> list[str]:
    """The files and the tables beside them, as sorted paths from the project's root."""
    tables = {
        table for folder in {file.parent for file in files} for table in folder.iterdir() if table.suffix in _DATA
    }
    return sorted(file.relative_to(ROOT).as_posix() for file in files | tables)
