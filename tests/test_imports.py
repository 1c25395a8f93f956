"""The layers hold: pipeline -> stages -> voice, never back."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.first_party import ROOT, closure, imports, module_file


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def tops(file: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(file)}


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [("voice", {"stages", "pipeline", "prefect", "dvc"}), ("stages", {"pipeline", "prefect", "dvc"})],
)
def test_a_lower_layer_imports_no_higher_one(package: str, forbidden: set[str]) -> None:
    assert files(package)
    wrong = {str(file.relative_to(ROOT)): tops(file) & forbidden for file in files(package) if tops(file) & forbidden}
    assert wrong == {}


@pytest.mark.parametrize("module", ["pipeline.plan", "pipeline.rebuild", "pipeline.audit"])
def test_planning_and_auditing_reach_no_torch(module: str) -> None:
    start = module_file(module)
    assert start is not None, f"{module} does not exist"
    heavy = {"torch", "torchaudio", "transformers", "librosa"}
    wrong = {str(file.relative_to(ROOT)): tops(file) & heavy for file in closure(start) if tops(file) & heavy}
    assert wrong == {}


def test_no_module_falls_back_when_an_import_fails() -> None:
    for package in ("voice", "stages", "pipeline"):
        for file in files(package):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ExceptHandler) and node.type and "ImportError" in ast.unparse(node.type):
                    assert isinstance(node.body[-1], ast.Raise), f"{file}:{node.lineno}"  # told, not passed over
