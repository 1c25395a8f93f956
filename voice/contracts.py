"""Every table in pipeline order: what a row must hold. `voice.tables` reads and writes them.

Manifests are JSONL (one object a line, keys sorted), loss curves TSV.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pandera.pandas as pa

from voice import columns as c

_SPAN = {
    "id": c.key(),
    "recording": c.column(str, c.text(c.ID)),
    "start": c.number(0, 1e6),
    "end": c.number(0, 1e6),
    "seconds": c.number(0.1, 60),
}
_SPAN_RULES = (
    c.check(
        "seconds == end - start",
        lambda t: (t["end"] - t["start"] - t["seconds"]).abs() <= c.EPS,
    ),
    c.check("spans of one recording do not overlap", c.apart),
)

# Files of a voice, by their path in its folder; names may hold anything else.
_FILE = {
    "id": c.key(),
    "file": c.column(
        str,
        c.check("stays in its folder", lambda s: ~s.str.contains(r"(?:^/|\\|(?:^|/)\.\.(?:/|$))")),
        c.text(),
        unique=True,
    ),
    "sha256": c.column(str, c.text(c.SHA256)),
}
NOTES = (
    "format_mismatch", "dead_channel", "inverted_channel", "clipped", "narrow_band", "noisy", "hum", "reverberant",
    "several_speakers",
)  # fmt: skip
Recordings = c.table(
    "recordings",
    _FILE
    | {
        "format": c.column(str, c.text(r"[A-Z0-9]+ \S+")),
        "seconds": c.number(0.01, 1e6),
        "sample_rate": c.count(4000, 768000),
        "channels": c.count(1, 64),
        "true_peak_db": c.number(-60, 30),
        "peak_db": c.number(-60, 20),
        "lufs": c.number(-70, 20),
        "snr_db": c.number(0, 100),
        "bandwidth_hz": c.number(0, 384000),
        "clipped": c.count(),
        "dc": c.number(-10, 10),
        "hum_hz": c.column(int, c.check("0, 50 or 60", lambda s: s.isin([0, 50, 60]))),
        "hum_db": c.number(0, 200),
        "reverb_seconds": c.number(0, 10, nullable=True),
        "speakers": c.count(1, 2),
        "gain_db": c.number(-60, 60),
        "enhanced": c.column(str, c.text(r"(?:(?:wpe|noisereduce)(?:\+noisereduce)?)?")),
        "clean_rate": c.count(8000, 192000),
        "clean_seconds": c.number(0.01, 1e6),
        "notes": c.column(
            object,
            c.list_of(str, empty=True),
            c.each(f"each of {', '.join(NOTES)}", lambda notes: isinstance(notes, list) and set(notes) <= set(NOTES)),
        ),
    },
    c.check(
        "clean audio is as long as its source",
        lambda t: (t["seconds"] - t["clean_seconds"]).abs() <= 0.01,
    ),
    c.check("a peak between samples is no lower than on one", lambda t: t["true_peak_db"] >= t["peak_db"] - c.EPS),
    c.check("hum has a level", lambda t: (t["hum_hz"] > 0) == (t["hum_db"] > 0)),
)

RECORDING_REASONS = (
    "empty", "not_audio", "truncated", "not_finite", "too_short", "silent", "out_of_range", "unsupported", "outside",
)  # fmt: skip
RejectedRecordings = c.table(
    "rejected_recordings",
    _FILE
    | {
        "reason": c.column(str, c.check(f"one of {', '.join(RECORDING_REASONS)}", lambda s: s.isin(RECORDING_REASONS))),
        "detail": c.column(str, c.text()),
    },
)

Segments = c.table(
    "segments",
    _SPAN
    | {
        "recording_seconds": c.number(0.01, 1e6),
        "peak_db": c.number(-120, 0.01),
        "level_db": c.number(-100, 0),
        "snr_db": c.number(0, 100),
        "clipped": c.count(),
    },
    *_SPAN_RULES,
    c.check(
        "the span lies inside its recording",
        lambda t: t["end"] <= t["recording_seconds"] + c.EPS,
    ),
)

SEGMENT_REASONS = ("too_short", "no_speech", "too_noisy", "clipped")
# A whole recording (no_speech) can be longer than any segment, and the speech in it shorter.
RejectedSegments = c.table(
    "rejected_segments",
    _SPAN
    | {
        "seconds": c.number(0.01, 1e6),
        "reason": c.column(str, c.check(f"one of {', '.join(SEGMENT_REASONS)}", lambda s: s.isin(SEGMENT_REASONS))),
        "detail": c.column(str, c.text()),
    },
    *_SPAN_RULES,
)

Aligned = c.table(
    "aligned",
    _SPAN
    | {
        "text": c.column(str, c.text()),
        "lang": c.language(),
        "words": c.column(object, c.list_of(str)),
        "word2ph": c.column(object, c.list_of(int)),
        "phones": c.column(object, c.list_of(str)),
        "ids": c.column(object, c.list_of(int)),
        "score": c.number(0, 1),
        "phones_per_second": c.number(0, 100),
        "draft": c.column(bool),
        "edited": c.column(bool),
        "split": c.column(str, c.check("train or held_out", lambda s: s.isin(["train", "held_out"]))),
    },
    *_SPAN_RULES,
    c.check("as many ids as phones", lambda t: t["ids"].map(len) == t["phones"].map(len)),
    c.check(
        "word2ph adds up to the phones",
        lambda t: t["word2ph"].map(sum) == t["phones"].map(len),
    ),
    c.check(
        "as many words as word2ph",
        lambda t: t["words"].map(len) == t["word2ph"].map(len),
    ),
)

REASONS = (
    "no_words",
    "no_room",
    "jump",
    "part_of_line",
    "too_fast",
    "too_slow",
    "untranscribed",
    "low_score",
    "low_contrast",
    "weak_part",
    "reviewer",
)
Rejected = c.table(
    "rejected",
    _SPAN
    | {
        "text": pa.Column(str),
        "score": c.number(0, 1),
        "phones_per_second": c.number(0, 10000),
        "reason": c.column(str, c.check(f"one of {', '.join(REASONS)}", lambda s: s.isin(REASONS))),
        "detail": c.column(str, c.text()),
    },
    *_SPAN_RULES,
)

# Words of accepted and rejected segments that have a sound; times in the recording.
Words = c.table(
    "words",
    {
        "id": c.key(),
        "segment": c.column(str, c.text(c.ID)),
        "recording": c.column(str, c.text(c.ID)),
        "text": c.column(str, c.text()),
        "start": c.number(0, 1e6),
        "end": c.number(0, 1e6),
        "score": c.number(0, 1),
    },
    c.check("end is not before start", lambda t: t["end"] >= t["start"]),
)


def _fits_half(table: pd.DataFrame) -> pd.Series:
    return (table["dtype"] != "float16") | (table[["lo", "hi"]].abs().max(axis=1) <= 65504)


def _f0_if_voiced(table: pd.DataFrame) -> pd.Series:
    voiced = table["voiced_share"] > 0
    return (table["f0_median_hz"].notna() == voiced) & (table["f0_iqr_hz"].notna() == voiced)


Features = c.table(
    "features",
    {
        "id": c.key(),
        "shard": c.column(str, c.text(r"shard-[0-9]{3,}\.safetensors")),
        "frames": c.count(2),
        "tokens": c.count(1),
        "phones": c.count(1),
        "samples": c.count(1),
        "seconds": c.number(0.1, 60),
        "dtype": c.column(str, c.check("float16 or float32", lambda s: s.isin(["float16", "float32"]))),
        "lo": c.number(-3.5e38, 3.5e38),
        "hi": c.number(0, 3.5e38),
        "token_kinds": c.count(1),
        "finite": c.column(bool, c.check("true", lambda s: s)),
        "f0_median_hz": c.number(50, 550, nullable=True),
        "f0_iqr_hz": c.number(0, 500, nullable=True),
        "voiced_share": c.number(0, 1),
    },
    c.check("in [-65504, 65504] where float16", _fits_half),
    c.check("F0 where a frame is voiced, else none", _f0_if_voiced),
    c.check("two frames a token", lambda t: t["tokens"] == t["frames"] // 2),
    c.check("50 frames a second", lambda t: (t["frames"] - 50 * t["seconds"]).abs() <= 1.5),
    c.check("more than one token in use", lambda t: t["token_kinds"] > 1),
)


def _rising(series: pd.Series) -> pd.Series:
    return series.diff().fillna(1) > 0


# A curve has `step` and any number of losses; `valid_...` columns are empty where nothing was validated.
Loss = c.table(
    "loss",
    {
        "step": c.column(int, c.check("rises", _rising), c.check(">= 0", lambda s: s >= 0)),
        "valid_.+": pa.Column(
            float,
            c.check("finite", lambda s: np.isfinite(s)),
            nullable=True,
            regex=True,
            required=True,
        ),
        "(?!step$|valid_).+": pa.Column(
            float,
            c.check("finite", lambda s: np.isfinite(s)),
            nullable=True,
            regex=True,
            required=True,
        ),
    },
    c.check("has a row", lambda t: len(t) > 0),
)

TAKES = ("tuned", "base", "copy", "real")
# One row a line and take: spoken by the voice, by the base, resynthesised, recorded.
EvaluationLines = c.table(
    "evaluation_lines",
    {
        "id": c.key(),
        "line": c.column(str, c.text(c.ID)),
        "take": c.column(str, c.check(f"one of {', '.join(TAKES)}", lambda s: s.isin(TAKES))),
        "group": c.column(str, c.check("held_out or texts", lambda s: s.isin(["held_out", "texts"]))),
        "text": c.column(str, c.text()),
        "lang": c.language(),
        "file": c.column(str, c.text(rf"clips/{c.ID}\.flac"), unique=True),
        "sha256": c.column(str, c.text(c.SHA256)),
        "ai_generated": c.column(bool),
        "stop": c.column(str, c.check("eos, max_steps or given", lambda s: s.isin(["eos", "max_steps", "given"]))),
        "seed": c.count(),
        "units": c.count(1),
        "edits": c.count(),
        "phone_error": c.number(0, 100),
        "heard": pa.Column(str),
        "alignment_score": c.number(0, 1),
        "seconds": c.number(0.1, 120),
        "speech_seconds": c.number(0, 120),
        "rate": c.number(0, 1000),
        "f0_median_hz": c.number(50, 550, nullable=True),
        "f0_iqr_hz": c.number(0, 500, nullable=True),
        "voiced_share": c.number(0, 1),
        "similarity": c.number(-1, 1),
        "timbre_correlation": c.number(-1, 1),
        "mel_distance_db": c.number(0, 200, nullable=True),
        "peak_db": c.number(-120, 0.01),
        "lufs": c.number(-120, 20),
    },
    c.check(
        "phone_error == edits / units",
        lambda t: (t["phone_error"] - t["edits"] / t["units"]).abs() <= c.EPS,
    ),
    c.check("generated unless it is real", lambda t: t["ai_generated"] == (t["take"] != "real")),
    c.check("a line has each take once", lambda t: ~t.duplicated(["line", "take"])),
)

Listening = c.table(
    "listening",
    {
        "id": c.key(),
        "file": c.column(str, c.text(rf"{c.ID}\.(?:flac|wav)"), unique=True),
        "text": c.column(str, c.text()),
        "lang": c.language(),
        "voice": c.column(str, c.text(c.ID)),
        "ai_generated": c.column(bool, c.check("true", lambda s: s)),
        "sha256": c.column(str, c.text(c.SHA256)),
        "seconds": c.number(0.2, 120),
        "sample_rate": c.count(8000, 192000),
        "peak_db": c.number(-60, 0.01),
        "lufs": c.number(-120, 20),
        "clipped": c.count(),
        "seed": c.count(),
        "stop": c.column(str, c.check("eos or max_steps", lambda s: s.isin(["eos", "max_steps"]))),
        "warnings": c.column(object, c.list_of(str, empty=True)),
    },
    c.check("0.2 to 30 s, unless it did not end", lambda t: (t["seconds"] <= 30) | (t["stop"] == "max_steps")),
    c.check("at most one clipped run a second", lambda t: t["clipped"] <= t["seconds"].clip(lower=1)),
)
