"""Words of a reading, ears by name, and what clips make one expect."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.voice.gate.made import RATE, speech
from voice.errors import UserError
from voice.gate import BaseEar, Clip, Expectation, Said, load_ear, said_words
from voice.gate.said import told
from voice.nets.content_frames import PhoneRecogniser
from voice.text import read_text
from voice.text.units import CTC_UNITS, units_of


def test_words_have_their_sounds_and_the_pauses_after_them() -> None:
    reading = read_text("Down to the harbour, and back.", "en")
    words = said_words(reading)
    assert [one.word for one in words] == ["Down", "to", "the", "harbour", "and", "back"]
    assert [one.pause for one in words] == [False, False, False, True, False, True]
    assert [unit for one in words for unit in one.units] == units_of(reading.phones)
    chinese = said_words(read_text("你好，世界。", "zh"))
    assert [(one.word, one.pause) for one in chinese] == [("你", False), ("好", True), ("世", False), ("界", True)]
    assert all(one.units for one in chinese)


def test_words_are_written_as_people_write_them() -> None:
    assert told([Said("down", (1,)), Said("to", (2,))]) == "down to"
    assert told([Said("你", (1,)), Said("好", (2,)), Said("Maps", (3,))]) == "你好Maps"
    assert told([]) == ""


def test_an_ear_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="gate ear 'bat': unknown"):
        load_ear("bat", tmp_path)
    with pytest.raises(UserError, match="aligner.safetensors"):
        load_ear("base", tmp_path)


class Even(PhoneRecogniser):
    """Hears every unit alike."""

    def __init__(self) -> None:
        super().__init__(type("Config", (), {"units": len(CTC_UNITS)})())

    def features(self, wav: torch.Tensor, lengths: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        raise AssertionError("the gate asks for log probabilities alone")

    def features_and_log_probs(
        self, wav: torch.Tensor, lengths: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        logs = torch.zeros(1, wav.shape[1] // 320, len(CTC_UNITS)).log_softmax(-1)
        return logs, logs, torch.tensor([logs.shape[1]])


def test_the_ear_of_the_base_gives_frames_and_none_for_next_to_nothing() -> None:
    ear = BaseEar(Even())
    assert ear.hear(np.zeros(RATE, np.float32)).shape == (50, len(CTC_UNITS))
    assert ear.hear(np.zeros(100, np.float32)).shape == (0, len(CTC_UNITS))


def test_a_voice_is_like_itself_and_unlike_another() -> None:
    voice = Expectation.of([Clip(speech(2.0), RATE, 20), Clip(speech(3.0), RATE)])
    assert voice.pace == pytest.approx(20 / 2.0, rel=0.1)
    own, other = speech(2.5), speech(2.5, pitch=240.0, tilt=0.2)
    assert voice.likeness(own) > 0.99 > voice.likeness(other)  # type: ignore[operator]
    assert voice.semitones(own) < 0.5  # type: ignore[operator]
    assert voice.semitones(other) == pytest.approx(12.0, abs=1.0)


def test_what_is_not_known_is_none() -> None:
    nothing = Expectation()
    assert nothing.likeness(speech()) is None and nothing.semitones(speech()) is None
    assert Expectation.of([Clip(np.zeros(RATE, np.float32), RATE)]).pitch is None


def test_the_rate_of_a_clip_does_not_matter() -> None:
    from voice.audio import resample

    one = Expectation.of([Clip(speech(), RATE, 20)])
    other = Expectation.of([Clip(resample(speech(), RATE, 48000), 48000, 20)])
    assert other.pace == pytest.approx(one.pace, rel=0.05) and other.pitch == pytest.approx(one.pitch, abs=0.02)
