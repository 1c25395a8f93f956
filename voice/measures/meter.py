"""All figures of one recording in one pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice.measures.bandwidth import Bandwidth
from voice.measures.hum import Hum
from voice.measures.loudness import Loudness
from voice.measures.noise import Snr
from voice.measures.peaks import TruePeak
from voice.measures.reverb import reverb_seconds
from voice.measures.speakers import speakers
from voice.measures.speech import Speech

NARROW_HZ = 7000.0  # a voice needs its fricatives; telephone ends at 4 kHz, a tape at about 7
REVERBERANT = 0.6  # seconds
NOISY_DB = 15.0


@dataclass(frozen=True)
class Measures:
    """Figures of a mono signal, rounded so that tables stay stable; the names are columns of the recordings' table."""

    true_peak_db: float
    peak_db: float
    lufs: float
    snr_db: float
    bandwidth_hz: float
    hum_hz: int
    hum_db: float
    reverb_seconds: float | None
    speakers: int

    def notes(self) -> list[str]:
        """Codes of what a listener should look at; none of them rejects a recording."""
        found = {
            "narrow_band": 0 < self.bandwidth_hz < NARROW_HZ,
            "noisy": self.snr_db < NOISY_DB,
            "hum": self.hum_hz > 0,
            "reverberant": (self.reverb_seconds or 0.0) > REVERBERANT,
            "several_speakers": self.speakers > 1,
        }
        return [code for code, here in found.items() if here]


class Meter:
    """Add blocks of float32 [N] at `rate` Hz, then ask once for `measures()`."""

    def __init__(self, rate: int) -> None:
        self._peak, self._loudness, self._snr = TruePeak(), Loudness(rate), Snr(rate)
        self._bandwidth, self._hum, self._speech = Bandwidth(rate), Hum(rate), Speech(rate)

    def add(self, block: NDArray[np.float32]) -> None:
        """Take `block` into account."""
        for part in (self._peak, self._loudness, self._snr, self._bandwidth, self._hum, self._speech):
            part.add(block)

    def measures(self) -> Measures:
        """The figures of all blocks."""
        frames = self._speech.frames()
        hum_hz, hum_db = self._hum.found()
        return Measures(
            true_peak_db=round(self._peak.true_peak_db(), 3),
            peak_db=round(self._peak.peak_db(), 3),
            lufs=round(self._loudness.lufs(), 3),
            snr_db=round(self._snr.snr_db(), 2),
            bandwidth_hz=self._bandwidth.hz(),
            hum_hz=hum_hz,
            hum_db=hum_db,
            reverb_seconds=reverb_seconds(frames.bands),
            speakers=speakers(frames),
        )
