from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.params import Params, load_params, project_root
from voice.errors import UserError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    return tmp_path


def put(root: Path, dotted: str, value: Any) -> None:
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    *way, last = dotted.split(".")
    place = params
    for key in way:
        place = place[key]
    place[last] = value
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def test_the_projects_own_parameters_are_good_and_sections_follow_dvc_yaml() -> None:
    assert load_params(ROOT).voices["demo_en"].lang == "en"
    raw = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    stages = list(yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"])
    assert [key for key in raw if key in stages] == [stage for stage in stages if stage != "pretrained"]
    assert list(raw) == list(Params.model_fields)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("slice.max_second", 3, "slice.max_second: unknown key (did you mean max_seconds?)"),
        ("voices.demo_en.langage", "en", "voices.demo_en.langage: unknown key (did you mean lang?)"),
        ("sinthesize", {}, "sinthesize: unknown key (did you mean synthesize?)"),
        ("voices.demo_en.lang", "fr", "voices.demo_en.lang = 'fr': should be 'en', 'zh', 'ja', 'ko', 'yue' or 'auto'"),
        ("ingest.min_seconds", "20", "ingest.min_seconds = '20': should be a valid number"),
        ("train_semantic.learning_rate", "1e-4", "write 1.0e-4"),
        ("train_semantic.epochs", True, "train_semantic.epochs = True: should be a valid integer"),
        ("align.holdout", 1.5, "align.holdout = 1.5: should be less than or equal to 1"),
        ("threads", 0, "threads = 0: should be greater than or equal to 1"),
        ("voices.../evil", {}, ""),
        ("base", "../x", "base = '../x': small letters"),
        ("synthesize.texts.en", [], "synthesize.texts.en = []: List should have at least 1 item"),
    ],
)  # fmt: skip
def test_a_wrong_key_or_value_is_one_line_that_names_it(root: Path, key: str, value: Any, message: str) -> None:
    if "evil" in key:
        put(root, "voices", {"../evil": {"lang": "en"}})
        message = "voices.../evil = '../evil': small letters, digits, _ and - only"
    else:
        put(root, key, value)
    with pytest.raises(UserError) as caught:
        load_params(root)
    line = str(caught.value)
    assert line.startswith("params.yaml: ") and message in line and "\n" not in line


@pytest.mark.parametrize("name", ["raw", "base", "pretrained", "A", "a b", ".x", "a/b", ""])
def test_voice_names_cannot_leave_or_shadow_a_folder(root: Path, name: str) -> None:
    put(root, "voices", {name: {"lang": "en"}})
    with pytest.raises(UserError, match="small letters"):
        load_params(root)


def test_a_missing_key_and_broken_yaml_are_named(root: Path) -> None:
    put(root, "slice", {"min_seconds": 2.0})
    with pytest.raises(UserError, match=r"params\.yaml: slice\.detector: missing; and 12 more"):
        load_params(root)
    (root / "params.yaml").write_text("a: [")
    with pytest.raises(UserError, match="not YAML") as caught:
        load_params(root)
    assert "\n" not in str(caught.value)


def test_an_unknown_voice_gets_the_nearest_name() -> None:
    with pytest.raises(UserError, match="no voice 'demo_em' .did you mean demo_en"):
        load_params(ROOT).voice("demo_em")


def test_a_stage_may_read_only_what_it_lists(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_STAGE", "slice@demo_en")
    params = load_params(root)
    assert params.slice.min_seconds == 2.0
    for read in (lambda: params.align, lambda: params.threads, lambda: params.voice("demo_en")):
        with pytest.raises(UserError, match=r"dvc\.yaml: slice@demo_en: reads \S+ of params\.yaml"):
            read()
    monkeypatch.setenv("DVC_STAGE", "align@demo_en")
    assert load_params(root).voice("demo_en").lang == "en"
    with pytest.raises(UserError, match=r"voices\.demo_zh"):
        load_params(root).voice("demo_zh")


def test_parameters_are_frozen(root: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_params(root).slice.pad = 3.0  # type: ignore[misc]


def test_the_root_is_the_nearest_folder_with_dvc_yaml(root: Path) -> None:
    (root / "a/b").mkdir(parents=True)
    assert project_root(root / "a/b") == root
    with pytest.raises(UserError, match=r"no dvc\.yaml"):
        project_root(Path("/"))


def test_reading_parameters_imports_no_torch() -> None:
    code = "import sys, stages.common; stages.common.load_params(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_texts_spoken_for_judging_were_not_recorded() -> None:
    params = load_params(ROOT)
    for lang, voice in (("en", "demo_en"), ("zh", "demo_zh")):
        recorded = (ROOT / "data/raw" / voice / "transcript.txt").read_text(encoding="utf-8")
        spoken = [*getattr(params.evaluate.texts, lang), *getattr(params.synthesize.texts, lang)]
        assert len(set(spoken)) == len(spoken) and not any(text in recorded for text in spoken)


def test_a_published_base_gets_its_own_values_and_all_else_stays(root: Path) -> None:
    plain = load_params(root)
    assert (plain.ingest.sample_rate, plain.speaking.prompt, plain.train_acoustic.c_adv) == (24000, False, 0.0)
    put(root, "base", "official-v2pro")
    official = load_params(root)
    assert (official.ingest.sample_rate, official.speaking.prompt, official.train_acoustic.c_adv) == (32000, True, 1.0)
    assert official.ingest.loudness_lufs == plain.ingest.loudness_lufs and official.train_acoustic.mel == "published"
    assert load_params(root, base="mini").ingest == plain.ingest


@pytest.mark.parametrize("base", ["mini", "official-v2"])
def test_a_fault_in_the_values_for_published_bases_is_found_whatever_the_base(root: Path, base: str) -> None:
    put(root, "base", base)
    put(root, "speaking.official.top_q", 3)
    with pytest.raises(UserError, match=r"speaking\.official\.top_q: unknown key \(did you mean top_[kp]"):
        load_params(root)
    put(root, "speaking.official", {"top_k": 0})
    with pytest.raises(UserError, match=r"speaking\.official\.top_k = 0: should be greater"):
        load_params(root)
    put(root, "speaking.official", 3)
    with pytest.raises(UserError, match=r"speaking\.official = 3: should be keys of speaking"):
        load_params(root)
    put(root, "speaking", {"top_k": 0, "official": {}})
    with pytest.raises(UserError, match=r"speaking\.noise_scale: missing"):
        load_params(root)


def test_a_section_that_varies_with_the_base_needs_the_base_listed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))
    stages["stages"]["ingest"]["do"]["params"].remove("base")
    (root / "dvc.yaml").write_text(yaml.safe_dump(stages), encoding="utf-8")
    monkeypatch.setenv("DVC_STAGE", "ingest@demo_en")
    with pytest.raises(UserError, match="reads base of params.yaml but does not list it"):
        _ = load_params(root).ingest
