"""When each word of a rendered line is said, by the ear of the base; and where the line's sound begins and ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

WordTimes = list[tuple[str, float, float]]
_STEP = 0.01  # seconds of one level
_DEPTH = 45.0  # dB under the loudest frame: what counts as sound, as in voice.alignment.times
_STAYS = 3  # levels in a row: a click or a breath of noise before the line is no beginning of speech
_PART = 30.0  # seconds the ear hears at once: its memory grows with the square
_LOOK = 5.0  # seconds before the end of a part in which it may be cut
_QUIETER = 3.0  # nats, as for `voice.alignment.aligners.ContentAligner`, whose ear this is


def speech_span(wave: NDArray[np.float32], rate: int) -> tuple[float, float]:
    """Seconds at which sound that lasts begins and ends in `wave` [N]; all of it when there is only silence."""
    from voice.levels import frame_db  # here and below, because planning needs no filters of scipy

    level = frame_db(wave, max(1, round(rate * _STEP)))
    sounds = level > max(float(level.max(initial=-120.0)) - _DEPTH, -100.0)
    lasts = sliding_window_view(sounds, _STAYS).all(1) if len(sounds) >= _STAYS else sounds[:0]
    runs = np.flatnonzero(lasts)
    loud = [runs[0], runs[-1] + _STAYS - 1] if len(runs) else np.flatnonzero(sounds)
    if not len(loud):
        return 0.0, round(len(wave) / rate, 3)
    return round(float(loud[0]) * _STEP, 3), round(min((float(loud[-1]) + 1) * _STEP, len(wave) / rate), 3)


def word_times(
    ear: Any, wave: NDArray[np.float32], rate: int, shown: str, spoken: str, lang: str, lexicon: Mapping[str, str]
) -> WordTimes:
    """(word, start, end) in seconds of `wave` [N] for the words of `shown`, [] where they cannot be found.

    `ear` is a `PhoneRecogniser`; `spoken` is the same text with marks of reading. Words without a sound are left out.
    """
    import torch

    from voice.alignment.evidence import quieten
    from voice.alignment.spoken import Sound, weigh_words
    from voice.alignment.words import script_words
    from voice.audio import resample
    from voice.levels import frame_db
    from voice.nets.content_frames import RATE
    from voice.text import read_text

    words, _ = script_words([shown], lambda text: read_text(spoken if text == shown else text, lang, lexicon))
    sound = resample(wave, rate, RATE)
    heard = hear(ear, sound)
    if not len(heard) or not any(word.units for word in words):
        return []
    level = frame_db(wave, round(rate * _STEP)).astype(np.float32)
    whole = Sound(quieten(torch.from_numpy(heard), _QUIETER), level, 0.0, len(wave) / rate)
    found = weigh_words(whole, words, range(len(words))).times
    named = [word.token.text for word in words if word.units]
    if len(found) != len(named):
        return []
    return [(text, start, end) for text, (start, end, _) in zip(named, found, strict=True)]


def hear(ear: Any, sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-probabilities [frames, units] of 16 kHz audio of any length by a `PhoneRecogniser`, heard in parts."""
    import torch

    with torch.inference_mode():
        heard = [ear.log_probs(torch.from_numpy(np.ascontiguousarray(part))[None])[0][0] for part in parts(sound)]
    return np.concatenate([np.zeros((0, ear.config.units), np.float32), *(part.numpy() for part in heard)])


def parts(sound: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """16 kHz audio in parts of at most _PART seconds, cut on the ear's grid where it is quietest."""
    from voice.levels import frame_db
    from voice.nets.content_frames import HOP, RATE

    most, look = round(_PART * RATE) // HOP, round(_LOOK * RATE) // HOP
    while len(sound) > most * HOP:
        level = frame_db(sound[: most * HOP], HOP)[-look:]
        end = (most - look + int(level.argmin())) * HOP
        yield sound[:end]
        sound = sound[end:]
    if len(sound) >= RATE // 10:  # less has no frame
        yield sound
