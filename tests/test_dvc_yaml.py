"""dvc.yaml tells the truth: nine stages in order, all the code a stage stands on, the parameters it reads."""

from __future__ import annotations

import ast
import re
from collections import Counter
from typing import Any

import pytest
import yaml

from stages.params import Params
from tests.first_party import PACKAGES, ROOT, imports, module_file, stage_code
from tests.sync_deps import synced

TEXT = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
STAGES: dict[str, Any] = {name: entry.get("do", entry) for name, entry in yaml.safe_load(TEXT)["stages"].items()}
ORDER = [
    "pretrained", "ingest", "slice", "align", "features",
    "train_semantic", "train_acoustic", "evaluate", "synthesize",
]  # fmt: skip


def path_of(out: str | dict[str, Any]) -> str:
    return out if isinstance(out, str) else next(iter(out))


def outputs(entry: dict[str, Any]) -> list[str]:
    return [path_of(out) for kind in ("outs", "plots", "metrics") for out in entry.get(kind, [])]


def test_there_are_nine_stages_in_order_and_all_but_one_run_per_voice() -> None:
    assert list(STAGES) == ORDER
    per_voice = [n for n, e in yaml.safe_load(TEXT)["stages"].items() if e.get("foreach") == "${voices}"]
    assert per_voice == ORDER[1:]


@pytest.mark.parametrize("stage", ORDER)
def test_every_code_file_a_stage_imports_is_a_dep_and_no_other(stage: str) -> None:
    assert module_file(f"stages.{stage}"), f"stages/{stage}.py does not exist"
    listed = [dep for dep in STAGES[stage]["deps"] if dep.startswith(tuple(f"{p}/" for p in PACKAGES))]
    assert listed == stage_code(stage), "run python -m tests.sync_deps"


@pytest.mark.parametrize("stage", ORDER)
def test_no_path_is_listed_twice_and_code_is_listed_by_file(stage: str) -> None:
    entry = STAGES[stage]
    for kind, paths in (("deps", entry["deps"]), ("outs", outputs(entry))):
        assert [p for p, n in Counter(paths).items() if n > 1] == [], kind
    assert not set(entry["deps"]) & set(outputs(entry))
    for dep in entry["deps"]:
        assert not dep.startswith(PACKAGES) or (ROOT / dep).is_file(), dep


@pytest.mark.parametrize("stage", ORDER)
def test_data_deps_are_made_by_an_earlier_stage_or_lie_in_git(stage: str) -> None:
    made = {out for name in ORDER[: ORDER.index(stage)] for out in outputs(STAGES[name])}
    for dep in STAGES[stage]["deps"]:
        source = dep.startswith((*(f"{p}/" for p in PACKAGES), "data/raw/", "models/base/")) or dep == "lexicon.yaml"
        assert source or any(dep == out or dep.startswith(f"{out}/") for out in made), dep


@pytest.mark.parametrize("stage", ORDER)
def test_parameters_a_stage_lists_exist_and_those_it_reads_are_listed(stage: str) -> None:
    listed = {str(item).split(".")[0] for item in STAGES[stage]["params"]}
    assert listed <= set(Params.model_fields)
    file = module_file(f"stages.{stage}")
    assert file is not None
    tree = ast.parse(file.read_text(encoding="utf-8"))
    read = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("params", "load_params()")
    } & set(Params.model_fields)
    read |= {"voices"} if re.search(r"params(?:\(\))?\.voice\(", file.read_text(encoding="utf-8")) else set()
    allowed = listed if stage == "pretrained" else listed | {"voices"}
    assert read <= allowed


@pytest.mark.parametrize("stage", ORDER)
def test_a_stage_that_computes_with_torch_lists_the_number_of_threads(stage: str) -> None:
    """Sums differ with the number of threads, so it is part of what the outputs were made from."""
    torch = any(
        "torch" in {n.split(".")[0] for n in imports(ROOT / code)} for code in stage_code(stage) if code.endswith(".py")
    )
    if stage == "pretrained":  # it renames and rounds published weights, and adds nothing up
        torch = False
    assert ("threads" in STAGES[stage]["params"]) == torch


def test_stages_have_a_description_a_plain_command_and_no_flag_that_hides_staleness() -> None:
    for name, entry in STAGES.items():
        assert entry["desc"]
        voice = "" if name == "pretrained" else " --voice ${key}"
        assert entry["cmd"] == f"python -m stages.{name}{voice}"
        assert not re.search(r"(persist|frozen|always_changed):", yaml.safe_dump(entry))
    assert [name for name, entry in STAGES.items() if entry.get("meta", {}).get("gpu")] == ORDER[5:7]


def test_metrics_are_declared_in_their_stage_and_kept_by_git() -> None:
    assert STAGES["evaluate"]["metrics"] == [{"models/${key}/metrics.json": {"cache": False}}]
    assert set(yaml.safe_load(TEXT)) == {"stages"}


def test_the_list_of_deps_is_what_the_tool_writes() -> None:
    assert synced(TEXT) == TEXT


def test_the_transcript_is_a_dep_of_align_alone() -> None:
    """`ingest` depends on the raw folder; .dvcignore takes the transcript out, so that new words leave it fresh."""
    ignored = (ROOT / ".dvcignore").read_text(encoding="utf-8").splitlines()
    assert "data/raw/*/transcript.txt" in ignored
    assert [s for s, e in STAGES.items() if "data/raw/${key}/transcript.txt" in e["deps"]] == ["align"]


def test_new_terms_of_consent_train_nothing_anew() -> None:
    """The record lies in the raw folder; the trainings read what `ingest` took from it, id and recordings."""

    def on(path: str) -> list[str]:
        return [stage for stage, entry in STAGES.items() if path in entry["deps"]]

    assert on("data/raw/${key}") == ["ingest", "align"]
    assert on("data/${key}/consent.json") == ["train_semantic", "train_acoustic"]
    assert not any("revoked.jsonl" in str(entry["deps"]) for entry in STAGES.values())
