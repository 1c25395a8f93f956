"""Codes and measures in words for people who record, with the limits beyond which a measure is marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voice.measures.meter import NARROW_HZ, NOISY_DB, REVERBERANT
from voice.report.data_tables import number

REASONS = {
    # a recording
    "empty": "the file is empty",
    "not_audio": "no sound file, or one that cannot be decoded",
    "truncated": "the file ends in the middle",
    "not_finite": "it holds samples that are no numbers",
    "out_of_range": "it holds samples far beyond full scale",
    "silent": "nothing but silence",
    "too_short": "too short to learn from",
    "unsupported": "too few samples a second, or too many channels",
    "outside": "a link that leaves the voice's folder",
    # a piece of one
    "no_speech": "music or noise, but no speech",
    "too_noisy": "too much noise under the voice",
    "clipped": "too loud for the recorder: peaks are cut off",
    # a segment with its words
    "no_words": "no word of the transcript is spoken here",
    "no_room": "its words do not fit into its time",
    "jump": "words of the transcript are missing in the middle",
    "too_fast": "more words in the transcript than can be said in this time",
    "too_slow": "fewer words in the transcript than are spoken",
    "untranscribed": "something is said that the transcript does not have",
    "low_score": "what is said does not fit the transcript",
    "part_of_line": "the rest of its line was not found beside it",
    "low_contrast": "the words in disorder would fit the sound hardly less",
    "weak_part": "one part does not fit the transcript",
    "reviewer": "taken out by a reviewer",
}
NOTES = {
    "format_mismatch": "The file's name says another format than it has; that does no harm.",
    "dead_channel": "One channel is silent. The other one is used.",
    "inverted_channel": "One channel is upside down and would cancel the other. It is not used.",
    "clipped": "Too loud for the recorder: peaks are cut off. Lower the input level.",
    "narrow_band": "The high tones are missing: it was a phone call, a chat or a strongly compressed file once.",
    "noisy": "Much background noise. Record in a quieter room, or nearer to the microphone.",
    "hum": "Mains hum. Keep the microphone's cable away from power supplies.",
    "reverberant": "The room echoes. Hang up blankets, or go nearer to the microphone.",
    "several_speakers": "There may be more than one speaker. A voice is learnt from one.",
}


@dataclass(frozen=True)
class Limit:
    """A measure's column, its title, what it means, its format, and where it is no longer good, then bad.

    `low` tells that small values are the bad ones.
    """

    key: str
    title: str
    meaning: str
    show: str = "{:.1f}"
    warn: float | None = None
    bad: float | None = None
    low: bool = False
    absolute: bool = False

    def text(self, value: float) -> str:
        """As shown; what rounds to nothing has no sign."""
        text = self.show.format(value)
        return text.lstrip("-") if not text.strip("-0.") else text

    def grade(self, value: float) -> str:
        """ "", "warn" or "bad"."""
        size = abs(value) if self.absolute else value
        for grade, limit in (("bad", self.bad), ("warn", self.warn)):
            if limit is not None and (size < limit if self.low else size > limit):
                return grade
        return ""

    def rule(self) -> str:
        """The limits in words."""
        side = "below" if self.low else "above"
        limits = [
            f"{name} {side} {self.show.format(limit)}"
            for name, limit in (("watch", self.warn), ("bad", self.bad))
            if limit is not None
        ]
        return f"{self.meaning}; {', '.join(limits)}" if limits else self.meaning


MEASURES = (
    Limit("sample_rate", "Hz", "samples a second in the file", "{:.0f}", 22050, 16000, low=True),
    Limit("channels", "channels", "they are mixed to one", "{:.0f}"),
    Limit("lufs", "LUFS", "loudness over the whole recording", "{:.1f}", -35, -45, low=True),
    Limit("true_peak_db", "peak dBTP", "highest peak between the samples", "{:.1f}", -0.1, 1.0),
    Limit("peak_db", "peak dBFS", "highest sample", "{:.1f}", -0.05),
    Limit("clipped", "clipped", "runs of samples at full scale", "{:.0f}", 0, 10),
    Limit("snr_db", "SNR dB", "how far the voice stands above the noise", "{:.0f}", 25, NOISY_DB, low=True),
    Limit("bandwidth_hz", "band Hz", "highest tones that there are", "{:.0f}", 10000, NARROW_HZ, low=True),
    Limit("hum_db", "hum dB", "mains hum above its neighbourhood", "{:.0f}", 0, 25),
    Limit("reverb_seconds", "echo s", "how long the room answers (RT60, an estimate)", "{:.2f}", REVERBERANT, 1.0),
    Limit("dc", "offset", "constant offset, of 1", "{:.3f}", 0.01, 0.1, absolute=True),
    Limit("speakers", "speakers", "how many are suspected", "{:.0f}", bad=1),
)


@dataclass(frozen=True)
class Cell:
    """One measured value as shown: title, text, and grade ("", "warn", "bad")."""

    title: str
    text: str
    grade: str


def measures(rows: list[dict[str, Any]]) -> list[Limit]:
    """The measures that at least one recording has; the sample peak only where no true peak is known."""
    found = [limit for limit in MEASURES if any(number(row, limit.key) is not None for row in rows)]
    keys = {limit.key for limit in found}
    return [limit for limit in found if limit.key != "peak_db" or "true_peak_db" not in keys]


def cells(row: Mapping[str, Any], limits: list[Limit]) -> list[Cell]:
    """A recording's measures; "" where it has none."""
    out = []
    for limit in limits:
        value = number(row, limit.key)
        text, grade = ("", "") if value is None else (limit.text(value), limit.grade(value))
        out.append(Cell(limit.title, text, grade))
    return out


def notes(row: Mapping[str, Any]) -> list[str]:
    """A recording's notes as sentences; a code without one is shown as it is."""
    codes = row.get("notes")
    told = [NOTES.get(code, plain(code)) for code in codes if isinstance(code, str)] if isinstance(codes, list) else []
    if enhanced := row.get("enhanced"):
        told.append(f"Cleaned with {enhanced}.")
    return told


def plain(code: str) -> str:
    """A code without its underscores."""
    return code.replace("_", " ")


def reason(code: str) -> str:
    """What a reason code means; the code itself where that is not known."""
    return REASONS.get(code, plain(code))
