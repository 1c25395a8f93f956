"""The gate of real voices: one for each voice and line, with the voice's own ear. Sound and ears are made up."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st
from pipeline_fakes import Beep, FakeVoice, load_fake

from pipeline.engine import DEFAULT_ENGINE, SayOptions
from pipeline.narration import read_manifest, run_narration
from pipeline.narration.gate import SPEECH_GATE, chosen_gate, find_gate, gate_name
from pipeline.narration.judging import SpeechGate
from pipeline.narration.listening import VoiceGate
from pipeline.narration.request import Request, longest_pause
from tests.voice.gate.made import RATE, Hears, speech
from voice.errors import UserError
from voice.gate import Limits, said_words
from voice.text import read_text
from voice.text.units import CTC_UNITS

TEXT = "The boats are home."


class Ear:
    """Hears the sounds of one text, whatever is said."""

    config = SimpleNamespace(units=len(CTC_UNITS))

    def __init__(self, text: str) -> None:
        self.text = text
        self.lengths: list[int] = []

    def log_probs(self, wave: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        self.lengths.append(wave.shape[1])
        units = [unit for word in said_words(read_text(self.text, "en")) for unit in word.units]
        heard = torch.from_numpy(Hears(units).hear(wave[0].numpy()))
        return heard[None], torch.tensor([len(heard)])


class Speaker(FakeVoice):
    """Says made-up speech of 1.5 s, twice as slow at length_scale 2; its guard hears `TEXT`."""

    sample_rate = RATE

    def __init__(self) -> None:
        super().__init__()
        self.guard = SimpleNamespace(ear=Ear(TEXT))

    def say(self, text: str, *, seed: int | None = None, length_scale: float | None = None, **options: Any) -> Beep:
        audio = speech(1.5 * (length_scale or 1.0))
        return Beep(audio, RATE, len(audio) / RATE, seed or 0)


def with_reference(root: Path, pitch: float = 120.0) -> Path:
    folder = root / "models/ann"
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / "reference.flac", speech(1.5, pitch), RATE)
    (folder / "reference.json").write_text(json.dumps({"text": TEXT, "lang": "en", "seconds": 1.5}))
    return root


def gate_of(root: Path, **more: Any) -> VoiceGate:
    found = SpeechGate(root, **more).for_voice("ann", Speaker())
    assert found is not None
    return found


def request(text: str = TEXT, **more: Any) -> Request:
    return Request("k", text, "ann", "e", SayOptions(), **more)


def reasons(gate: Any, wave: np.ndarray, text: str = TEXT) -> tuple[str, ...]:
    return tuple(gate(wave, RATE, text, "en", 1.0).reasons)


def test_a_line_passes_and_other_words_do_not(tmp_path: Path) -> None:
    gate = gate_of(with_reference(tmp_path)).for_line(request(), 1.0)
    assert reasons(gate, speech(1.5)) == ()
    assert any("nats" in one for one in reasons(gate, speech(1.5), "Three children walked."))
    verdict = gate(speech(1.5), RATE, TEXT, "en", 1.0)
    assert verdict.ok and verdict.rank[0] == 0 and verdict.rank[1] < 5


def test_the_reference_tells_the_voice_and_its_speed(tmp_path: Path) -> None:
    gate = gate_of(with_reference(tmp_path, 260.0))
    assert any("semitones" in one for one in reasons(gate.for_line(request(), 1.0), speech(1.5)))
    gate = gate_of(with_reference(tmp_path))
    slow = speech(3.0)
    assert any("slower" in one for one in reasons(gate.for_line(request(), 1.0), slow))
    assert reasons(gate.for_line(request(), 2.0), slow) == ()  # it was asked to speak so
    other = tmp_path / "clip.wav"
    soundfile.write(other, speech(1.5, 260.0), RATE)
    line = request(ref=str(other), ref_text=TEXT)
    assert any("semitones" in one for one in reasons(gate.for_line(line, 1.0), speech(1.5)))
    assert reasons(gate.for_line(line, 1.0), speech(1.5, 260.0)) == ()


def test_a_pause_that_was_asked_for_is_no_fault(tmp_path: Path) -> None:
    gate = gate_of(with_reference(tmp_path))
    half = round(0.6 * RATE)  # a moment without sound
    wave = np.concatenate([speech(1.5)[:half], np.zeros(3 * RATE, np.float32), speech(1.5)[half:]])
    assert any("silence" in one for one in reasons(gate.for_line(request(), 1.0), wave))
    paused = gate.for_line(request("The boats [pause 3s] are home."), 1.0)
    assert not any("silence" in one or "slower" in one for one in reasons(paused, wave))


def test_a_voice_may_rest_at_marks(tmp_path: Path) -> None:
    gate = gate_of(with_reference(tmp_path))
    slow = speech(2.9)
    assert any("slower" in one for one in reasons(gate, slow))
    assert not any("slower" in one for one in reasons(gate, slow, "The, boats, are, home."))


@given(st.lists(st.integers(1, 9), max_size=4))
def test_the_longest_pause_of_a_line(lengths: list[int]) -> None:
    text = " ".join(["One", *(f"[pause {length}s] more" for length in lengths)])
    assert longest_pause(text) == max(lengths, default=0)


def test_long_sound_is_heard_in_parts(tmp_path: Path) -> None:
    gate = gate_of(tmp_path)
    ear: Any = gate.ear.recogniser
    heard = gate.ear.hear(np.concatenate([speech(2.0)] * 35))
    assert len(heard) == 70 * 50 and len(ear.lengths) == 3 and max(ear.lengths) <= 30 * RATE
    assert gate.ear.hear(np.zeros(10, np.float32)).shape[0] == 0


def test_a_voice_without_an_ear_is_not_judged_and_told(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("One line.\n")
    gate = SpeechGate(tmp_path)
    assert gate.for_voice("ann", load_fake(tmp_path, "ann")) is None
    arguments = (tmp_path, tmp_path / "book.txt", "ann", tmp_path / "out", SayOptions(), load_fake)
    report = run_narration(*arguments, gate=gate)
    assert report.ok and report.doubtful == []
    assert report.warnings == ["ann: its base has no phone recogniser, so none of its lines is judged"]
    with pytest.raises(TypeError, match="for_voice"):
        gate(speech(1.0), RATE, TEXT, "en", 1.0)


def test_lines_of_a_narration_are_judged_by_the_ear_of_their_voice(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text(f"{TEXT}\nNobody counted the children twice.\n")

    def load(root: Path, name: str) -> Speaker:
        return Speaker()

    with_reference(tmp_path)
    arguments = (tmp_path, tmp_path / "book.txt", "ann", tmp_path / "out", SayOptions(lang="en"), load)
    report = run_narration(*arguments, gate=SpeechGate(tmp_path))
    assert (report.failed, len(report.doubtful)) == (1, 1)
    good, bad = read_manifest(tmp_path / "out")
    assert good["ok"] and not bad["ok"] and (good["attempts"], bad["attempts"]) == (1, 3)


def test_the_version_changes_with_the_limits(tmp_path: Path) -> None:
    usual = SpeechGate(tmp_path)
    stricter = SpeechGate(tmp_path, Limits({("clipped", "clipping"): 0.0005}))
    assert usual.version == SpeechGate(tmp_path / "other").version != stricter.version
    assert gate_name(usual) == f"pipeline.narration.judging:SpeechGate {usual.version}"


def test_which_gate_is_chosen(tmp_path: Path) -> None:
    assert chosen_gate(None, DEFAULT_ENGINE) == chosen_gate("on", "tests:fake") == SPEECH_GATE
    assert chosen_gate(None, "tests:fake") is chosen_gate("off", DEFAULT_ENGINE) is None
    assert chosen_gate("tests:gate", "tests:fake") == "tests:gate"
    assert isinstance(find_gate(SPEECH_GATE, tmp_path), SpeechGate)
    with pytest.raises(UserError, match="--gate maybe: not known"):
        chosen_gate("maybe", DEFAULT_ENGINE)
