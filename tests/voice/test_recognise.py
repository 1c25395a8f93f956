"""The recogniser: what it is asked, what it gives, and how it says what is missing. A fake stands for the network."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from voice import recognise as module
from voice.audio import write_flac
from voice.errors import UserError
from voice.recognise import Heard, HeardWord, Whisper, digest_of, load_recogniser, recognise

RATE = 24000


class FakeModel:
    """Says how many seconds it was given, in two parts, as faster-whisper does: lazily."""

    def __init__(self, folder: str = "", multilingual: bool = True, **options: Any) -> None:
        self.model = SimpleNamespace(is_multilingual=multilingual)
        self.hf_tokenizer = SimpleNamespace(token_to_id={"<|en|>": 1, "<|zh|>": 2}.get)
        self.folder, self.options = folder, options
        self.asked: dict[str, Any] = {}

    def transcribe(self, sound: np.ndarray, **asked: Any) -> tuple[Any, Any]:
        assert sound.dtype == np.float32 and sound.ndim == 1
        self.asked = asked
        end = len(sound) / 16000
        words = [SimpleNamespace(word=" 漢", start=np.float64(0.1), end=0.5, probability=1.0000001)]
        parts = [SimpleNamespace(text=" 漢", words=words), SimpleNamespace(text=f" {end:.1f}", words=None)]
        return iter(parts), SimpleNamespace(language=asked["language"] or "zh")


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "a.flac"
    write_flac(path, (0.1 * np.sin(np.arange(RATE * 2) / 9)).astype(np.float32), RATE)
    return path


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A package faster_whisper without weights; `fetch` decides what is found under a name."""
    held = SimpleNamespace(fetch=None, asked=None)

    def download(name: str, local_files_only: bool) -> str:
        held.asked = (name, local_files_only)
        if held.fetch is None:
            raise OSError("no\nroute to host")
        return str(held.fetch)

    top, utils = ModuleType("faster_whisper"), ModuleType("faster_whisper.utils")
    top.WhisperModel = FakeModel  # type: ignore[attr-defined]
    utils.download_model = download  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "faster_whisper", top)
    monkeypatch.setitem(sys.modules, "faster_whisper.utils", utils)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return held


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "whisper"
    folder.mkdir()
    for name in ("model.bin", "tokenizer.json"):
        (folder / name).write_bytes(name.encode())
    return folder


def test_words_have_times_and_shares_and_mandarin_is_simplified(sound: Path) -> None:
    heard = Whisper(FakeModel(), "0").hear(sound, "zh")
    assert heard == Heard("汉 2.0", "zh", (HeardWord("汉", 0.1, 0.5, 1.0),))


def test_the_settings_leave_nothing_to_chance(sound: Path) -> None:
    model = FakeModel()
    Whisper(model, "0").hear(sound, "auto")
    assert model.asked["language"] is None and model.asked["initial_prompt"] is None
    assert model.asked["temperature"] == 0.0 and model.asked["condition_on_previous_text"] is False
    assert model.asked["word_timestamps"] is True and model.asked["vad_filter"] is False


@pytest.mark.parametrize(("multilingual", "lang"), [(True, "yue"), (False, "zh")])
def test_a_language_that_the_model_does_not_know_is_refused(sound: Path, multilingual: bool, lang: str) -> None:
    with pytest.raises(UserError, match=f"the model knows no {lang}"):
        Whisper(FakeModel(multilingual=multilingual), "0").hear(sound, lang)
    assert Whisper(FakeModel(multilingual=multilingual), "0").hear(sound, "en").lang == "en"


def test_a_file_that_is_no_sound_is_told_as_ever(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(b"hello")
    with pytest.raises(UserError, match=r"x\.wav: not readable"):
        Whisper(FakeModel(), "0").hear(tmp_path / "x.wav", "en")


@pytest.mark.usefixtures("package")
def test_files_are_heard_by_a_model_of_a_folder(sound: Path, weights: Path) -> None:
    assert [heard.lang for heard in recognise([sound, sound], "en", str(weights))] == ["en", "en"]


def test_a_model_of_a_name_is_fetched_unless_offline(
    package: SimpleNamespace, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package.fetch = weights
    assert load_recogniser("small").digest == digest_of(weights)
    assert package.asked == ("small", False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    load_recogniser("owner/model")
    assert package.asked == ("owner/model", True)
    package.fetch = None
    with pytest.raises(UserError, match=r"small: .*no route to host .*HF_HUB_OFFLINE is set") as caught:
        load_recogniser("small")
    assert "\n" not in str(caught.value)


def test_the_digest_changes_with_the_weights(weights: Path) -> None:
    before = digest_of(weights)
    (weights / ".cache").write_text("x")
    assert digest_of(weights) == before
    (weights / "model.bin").write_bytes(b"other")
    assert digest_of(weights) != before


@pytest.mark.usefixtures("package")
def test_what_is_missing_is_one_line(tmp_path: Path, weights: Path) -> None:
    (weights / "tokenizer.json").unlink()
    with pytest.raises(UserError, match=r"tokenizer\.json is missing .*CTranslate2"):
        load_recogniser(str(weights))
    with pytest.raises(UserError, match="no such folder"):
        load_recogniser(str(tmp_path / "none"))
    with pytest.raises(UserError, match="no recogniser 'vosk' .known: whisper"):
        load_recogniser("small", "vosk")


def test_damaged_weights_are_one_line(package: SimpleNamespace, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("Unsupported\nmodel binary version")

    monkeypatch.setattr(sys.modules["faster_whisper"], "WhisperModel", broken)
    with pytest.raises(UserError, match="not a Whisper model: Unsupported model binary"):
        load_recogniser(str(weights))
    assert package.asked is None


def test_without_the_package_the_extra_is_named(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(UserError, match=r"faster-whisper is not installed .*reprovoice\[recognise\]"):
        load_recogniser(str(weights))
    assert module.INSTALL.endswith("'reprovoice[recognise]'")
