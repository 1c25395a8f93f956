"""Reverberation time and suspected speakers, on real speech: the two demo voices, alone, in made rooms and mixed."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.signal import fftconvolve

from tests.voice.measures.signals import Wave, demo, fed
from voice.audio import resample
from voice.measures.reverb import reverb_seconds
from voice.measures.speakers import evidence, speakers
from voice.measures.speech import RATE, Frames, Speech

VOICES = ["demo_en", "demo_zh"]


@cache
def speech(voice: str) -> Wave:
    wave, rate = demo(voice, 60)
    return resample(wave, rate, RATE)


def frames(wave: Wave) -> Frames:
    return fed(Speech(RATE), wave).frames()


def in_room(wave: Wave, seconds: float, direct_db: float = 0.0) -> Wave:
    """`wave` with a response that falls by 60 dB in `seconds`; the direct sound is that much louder than the rest."""
    rng = np.random.default_rng(1)
    time = np.arange(round(1.2 * seconds * RATE)) / RATE
    response = rng.normal(size=len(time)) * np.exp(-np.log(1000.0) * time / seconds)
    response *= 10 ** (-direct_db / 20) / np.sqrt(np.square(response).sum())
    response[0] += 1.0
    return fftconvolve(wave, response)[: len(wave)].astype(np.float32)


@pytest.mark.parametrize("voice", VOICES)
def test_the_reverberation_time_of_made_rooms_is_found(voice: str) -> None:
    wave = speech(voice)[: 30 * RATE]
    found = {t: reverb_seconds(frames(in_room(wave, t)).bands) for t in (0.3, 0.5, 0.8, 1.2)}
    for true, seconds in found.items():
        assert seconds == pytest.approx(true, rel=0.25), found
    dry, ordered = reverb_seconds(frames(wave).bands), list(found.values())
    assert dry is not None and dry < 0.25 and dry < ordered[0] and ordered == sorted(ordered)


def test_a_room_behind_louder_direct_sound_still_ranks() -> None:
    wave = speech("demo_en")[: 30 * RATE]
    small, large = (reverb_seconds(frames(in_room(wave, t, direct_db=6)).bands) for t in (0.3, 0.8))
    assert small is not None and large is not None and small == pytest.approx(0.3, rel=0.25) and 0.55 < large < 1.0


def test_nothing_to_go_by_is_no_figure() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 10 * RATE).astype(np.float32)
    for wave in (noise, np.zeros(10 * RATE, np.float32), noise[:100]):
        assert reverb_seconds(frames(wave).bands) is None


@pytest.mark.parametrize("voice", VOICES)
def test_one_speaker_is_not_suspected_whatever_the_level_does(voice: str) -> None:
    wave = speech(voice)
    assert speakers(frames(wave)) == 1
    swell = np.interp(np.arange(len(wave)), [0, len(wave)], [0.2, 1.0]).astype(np.float32)
    assert speakers(frames(wave * swell)) == 1
    assert speakers(frames(in_room(wave, 0.4))) == 1


@pytest.mark.parametrize("turn", [5, 30])
def test_two_speakers_are_suspected(turn: int) -> None:
    first, second = (speech(voice)[: 30 * RATE] for voice in VOICES)
    parts = [part[at : at + turn * RATE] for at in range(0, 30 * RATE, turn * RATE) for part in (first, second)]
    found = evidence(frames(np.concatenate(parts)))
    assert found.several and found.gain > 0.5 and found.semitones > 4, found


def test_little_speech_is_not_judged() -> None:
    first, second = (speech(voice)[: 9 * RATE] for voice in VOICES)
    assert evidence(frames(np.concatenate([first, second]))).gain == 0.0
    assert speakers(frames(np.zeros(0, np.float32))) == speakers(frames(np.zeros(40 * RATE, np.float32))) == 1
