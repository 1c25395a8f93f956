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

Recordings = c.table(
    "recordings",
    {
        "id": c.key(),
        "file": c.column(
            str,
            c.check("stays in its folder", lambda s: ~s.str.contains(r"(?:^/|\\|\.\.)")),
            unique=True,
        ),
        "sha256": c.column(str, c.text(c.SHA256)),
        "seconds": c.number(0.01, 1e6),
        "sample_rate": c.count(4000, 768000),
        "channels": c.count(1, 64),
        "peak_db": c.number(-60, 20),
        "lufs": c.number(-70, 20),
        "snr_db": c.number(0, 100),
        "clipped": c.count(),
        "dc": c.number(-1, 1),
        "gain_db": c.number(-60, 60),
        "clean_rate": c.count(8000, 192000),
        "clean_seconds": c.number(0.01, 1e6),
    },
    c.check(
        "clean audio is as long as its source",
        lambda t: (t["seconds"] - t["clean_seconds"]).abs() <= 0.01,
    ),
)

Segments = c.table(
    "segments",
    _SPAN
    | {
        "recording_seconds": c.number(0.01, 1e6),
        "peak_db": c.number(-60, 0.01),
        "level_db": c.number(-100, 0),
    },
    *_SPAN_RULES,
    c.check(
        "the span lies inside its recording",
        lambda t: t["end"] <= t["recording_seconds"] + c.EPS,
    ),
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

REASONS = ("no_words", "low_score", "too_fast", "too_slow", "unreadable")
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

Features = c.table(
    "features",
    {
        "id": c.key(),
        "shard": c.column(str, c.text(r"shard-[0-9]{3}\.safetensors")),
        "frames": c.count(2),
        "tokens": c.count(1),
        "phones": c.count(1),
        "samples": c.count(1),
        "seconds": c.number(0.1, 60),
        "dtype": c.column(str, c.check("float16", lambda s: s == "float16")),
        "lo": c.number(-65504, 0),
        "hi": c.number(0, 65504),
        "token_kinds": c.count(1),
        "finite": c.column(bool, c.check("true", lambda s: s)),
    },
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
