"""base/dvc.yaml tells the truth: every step, all it reads, the code it stands on, and a project of its own."""

from __future__ import annotations

import re
import shlex
from argparse import Namespace
from functools import cache
from typing import Any

import pytest
import yaml

from tests.first_party import ROOT, step_code
from tests.sync_deps import base_code, synced
from voice.pretrain.__main__ import CHECKS, STEPS, options
from voice.pretrain.resume import KEPT_IN, READS

BASE = ROOT / "base"
TEXT = (BASE / "dvc.yaml").read_text(encoding="utf-8")
STAGES: dict[str, Any] = yaml.safe_load(TEXT)["stages"]
PARAMS: dict[str, Any] = yaml.safe_load((BASE / "params.yaml").read_text(encoding="utf-8"))
NAMED = re.compile(r"\$\{([\w-]+)\}")


@cache
def command(stage: str) -> Namespace:
    """A stage's options, its parameters filled in as DVC fills them in; words that mean nothing end the test."""

    def value(found: re.Match[str]) -> str:
        given = PARAMS[found[1]]
        return " ".join(f"--{k} {v}" for k, v in given.items()) if isinstance(given, dict) else str(given)

    words = shlex.split(NAMED.sub(value, STAGES[stage]["cmd"]))
    assert words[:4] == ["PYTHONPATH=..", "python", "-m", "voice.pretrain"]
    return options(words[4:])


def outputs(stage: str) -> list[str]:
    return [next(iter(out)) for out in STAGES[stage]["outs"]]


def data(stage: str) -> list[str]:
    return [dep for dep in STAGES[stage]["deps"] if not dep.startswith("../")]


def test_every_step_is_a_stage_or_named_as_a_tool() -> None:
    assert list(STAGES) == list(STEPS)
    readme = (BASE / "README.md").read_text(encoding="utf-8")
    for tool in CHECKS:
        assert f"`{tool}`" in readme and tool not in STAGES


@pytest.mark.parametrize("stage", STEPS)
def test_a_stage_runs_its_step_with_parameters_that_exist(stage: str) -> None:
    assert command(stage).step == stage and STAGES[stage]["desc"]
    assert set(NAMED.findall(STAGES[stage]["cmd"])) <= set(PARAMS)


def test_every_parameter_is_used() -> None:
    assert {name for entry in STAGES.values() for name in NAMED.findall(entry["cmd"])} == set(PARAMS)
    assert {name for name, value in PARAMS.items() if isinstance(value, dict)} <= set(STEPS)


@pytest.mark.parametrize("stage", STEPS)
def test_every_code_file_a_step_imports_is_a_dep_and_no_other(stage: str) -> None:
    listed = [dep.removeprefix("../") for dep in STAGES[stage]["deps"] if dep.startswith("../")]
    assert listed == step_code(stage), "run python -m tests.sync_deps"
    assert {f"voice/pretrain/{stage}.py", "voice/pretrain/__main__.py"} <= set(listed)


def test_the_list_of_deps_is_what_the_tool_writes() -> None:
    assert synced(TEXT, base_code) == TEXT


@pytest.mark.parametrize("stage", STEPS)
def test_data_is_given_or_made_by_an_earlier_stage(stage: str) -> None:
    made = {out for name in STEPS[: STEPS.index(stage)] for out in outputs(name)}
    assert set(data(stage)) <= made | {"inputs/corpus", "inputs/whisper"}


@pytest.mark.parametrize("stage", [stage for stage in STEPS if stage != "card"])
def test_a_stage_depends_on_all_its_step_reads_where_the_command_says(stage: str) -> None:
    args = command(stage)
    expected = set()
    for item in READS[stage]:
        option, _, name = item.partition("/")
        folder = getattr(args, option)
        expected.add(str(folder / name if name else folder))
    assert set(data(stage)) == expected


@pytest.mark.parametrize("stage", STEPS)
def test_outputs_are_large_and_no_checkpoint_is_one(stage: str) -> None:
    for out in STAGES[stage]["outs"]:
        ((path, settings),) = out.items()
        assert path.startswith("work/") and settings == {"cache": False}
        assert not {str(getattr(command(name), KEPT_IN[name]) / name) for name in KEPT_IN} & {path}
    assert "/work/" in (BASE / ".gitignore").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("stage", KEPT_IN)
def test_a_stage_with_a_checkpoint_takes_only_its_own(stage: str) -> None:
    assert command(stage).resume == "same" and command(stage).minutes is None


@pytest.mark.parametrize("stage", [s for s in STEPS if s not in ("prepare", "card")])
def test_seed_threads_and_device_come_from_the_parameters(stage: str) -> None:
    args = command(stage)
    assert args.threads == PARAMS["threads"]
    assert stage == "pitch" or "${device}" in STAGES[stage]["cmd"]
    assert stage in ("pitch", "frames") or "${seed}" in STAGES[stage]["cmd"]


def test_it_is_a_dvc_project_of_its_own() -> None:
    """So the main pipeline's `dvc repro`, `status` and `rebuild` know nothing of it."""
    assert (BASE / ".dvc" / "config").is_file()
