from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from voice import contracts as c
from voice import tables as t
from voice.errors import UserError

SPAN = {"id": "r-0001", "recording": "r", "start": 0.5, "end": 3.0, "seconds": 2.5}
TEXT = {"text": "Hi.", "score": 0.8, "phones_per_second": 10.0}
ROWS: dict[str, dict[str, Any]] = {
    "Recordings": {
        "id": "r", "file": "recording.flac", "sha256": "0" * 64, "format": "FLAC PCM_16", "seconds": 61.0,
        "sample_rate": 24000, "channels": 1, "true_peak_db": -2.9, "peak_db": -3.0, "lufs": -24.0, "snr_db": 50.0,
        "bandwidth_hz": 12000.0, "clipped": 0, "dc": 0.0, "hum_hz": 50, "hum_db": 20.0, "reverb_seconds": 0.3,
        "speakers": 1, "gain_db": 2.0, "enhanced": "wpe+noisereduce", "clean_rate": 24000, "clean_seconds": 61.0,
        "notes": ["hum"],
    },
    "RejectedRecordings": {
        "id": "b", "file": "b c.wav", "sha256": "0" * 64, "reason": "truncated", "detail": "cut short, 5 of 9 bytes",
    },
    "Segments": SPAN | {"recording_seconds": 61.0, "peak_db": -1.0, "level_db": -20.0, "snr_db": 40.0, "clipped": 0},
    "RejectedSegments": SPAN | {"reason": "too_short", "detail": "1.2 s with its margins, under 2 s"},
    "Aligned": SPAN | TEXT | {
        "lang": "en", "words": ["hi", "."], "word2ph": [2, 1], "phones": ["HH", "AY1", "."], "ids": [1, 2, 3],
        "split": "train", "draft": False, "edited": False,
    },
    "Rejected": SPAN | TEXT | {"reason": "low_score", "detail": "score 0.1 < 0.3"},
    "Words": {
        "id": "r-0001.001", "segment": "r-0001", "recording": "r", "text": "Hi.", "start": 0.6, "end": 0.9,
        "score": 0.8,
    },
    "Features": {
        "id": "r-0001", "shard": "shard-000.safetensors", "frames": 125, "tokens": 62, "phones": 3,
        "samples": 60000, "seconds": 2.5, "dtype": "float16", "lo": -3.0, "hi": 3.0, "token_kinds": 40, "finite": True,
        "f0_median_hz": 120.5, "f0_iqr_hz": 20.0, "voiced_share": 0.5,
    },
    "EvaluationLines": {
        "id": "r-0001.tuned", "line": "r-0001", "take": "tuned", "group": "held_out", "text": "Hi.", "lang": "en",
        "file": "clips/r-0001.tuned.flac", "sha256": "0" * 64, "ai_generated": True, "stop": "eos", "seed": 7,
        "units": 4, "edits": 1, "phone_error": 0.25, "heard": "HH AY", "alignment_score": 0.5, "seconds": 1.0,
        "speech_seconds": 0.8, "rate": 5.0, "f0_median_hz": 200.0, "f0_iqr_hz": 20.0, "voiced_share": 0.5,
        "similarity": 0.9, "timbre_correlation": 0.9, "mel_distance_db": 5.0, "peak_db": -3.0, "lufs": -20.0,
    },
    "Listening": {
        "id": "en-1", "file": "en-1.flac", "text": "Hi.", "lang": "en", "voice": "demo_en", "ai_generated": True,
        "sha256": "0" * 64, "lufs": -20.0, "clipped": 0,
        "seconds": 1.0, "sample_rate": 24000, "peak_db": -3.0, "seed": 7, "stop": "eos", "warnings": [],
    },
}  # fmt: skip

BROKEN = [
    ("Recordings", "seconds", 0.0), ("Recordings", "sha256", "xyz"), ("Recordings", "file", "../x.wav"),
    ("Recordings", "clean_seconds", 60.0), ("Recordings", "id", "A b"), ("Recordings", "peak_db", -90.0),
    ("Recordings", "true_peak_db", -3.1), ("Recordings", "hum_hz", 55), ("Recordings", "hum_db", 0.0),
    ("Recordings", "speakers", 3), ("Recordings", "enhanced", "magic"), ("Recordings", "notes", ["odd"]),
    ("Recordings", "notes", "hum"), ("Recordings", "file", "/x.wav"), ("Recordings", "file", "a/../../x.wav"),
    ("Recordings", "format", "flac"), ("Recordings", "reverb_seconds", -0.1),
    ("RejectedRecordings", "reason", "because"), ("RejectedRecordings", "detail", ""),
    ("Segments", "end", 99.0), ("Segments", "seconds", 9.0), ("Segments", "recording_seconds", 2.0),
    ("Segments", "snr_db", -1.0), ("Segments", "clipped", -1), ("RejectedSegments", "reason", "ugly"),
    ("RejectedSegments", "detail", " "), ("RejectedSegments", "seconds", 3.0),
    ("Words", "end", 0.5), ("Words", "score", 1.5), ("Words", "text", ""),
    ("Segments", "level_db", math.nan), ("Aligned", "text", " "), ("Aligned", "lang", "fr"),
    ("Aligned", "ids", [1]),
    ("Aligned", "word2ph", [1, 1]), ("Aligned", "words", ["hi"]), ("Aligned", "phones", []),
    ("Aligned", "score", 1.5),
    ("Aligned", "split", "test"), ("Rejected", "reason", "because"), ("Rejected", "detail", ""),
    ("Features", "tokens", 61), ("Features", "frames", 300), ("Features", "finite", False),
    ("Features", "token_kinds", 1), ("Features", "shard", "../a.safetensors"), ("Features", "lo", -1e9),
    ("Features", "dtype", "float64"), ("Features", "f0_median_hz", None), ("Features", "voiced_share", 0.0),
    ("Features", "f0_iqr_hz", None),
    ("EvaluationLines", "take", "other"), ("EvaluationLines", "file", "../x.flac"),
    ("EvaluationLines", "phone_error", 0.5), ("EvaluationLines", "ai_generated", False),
    ("EvaluationLines", "voiced_share", 1.1), ("EvaluationLines", "f0_median_hz", 5.0),
    ("EvaluationLines", "sha256", "x"), ("Listening", "seconds", 31.0), ("Listening", "clipped", 9),
    ("Listening", "sha256", "x"), ("Listening", "seconds", 0.01),
    ("Listening", "ai_generated", False), ("Listening", "stop", "never"),
    ("Listening", "file", "a/b.flac"), ("Listening", "peak_db", -99.0),
]  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_a_good_table_is_written_and_read_back_unchanged(tmp_path: Path, name: str) -> None:
    path = tmp_path / "t.jsonl"
    t.write_table(path, [ROWS[name]], getattr(c, name))
    assert t.read_table(path, getattr(c, name)).to_dict(orient="records") == [ROWS[name]]
    before = path.read_bytes()
    t.write_table(path, t.read_table(path, getattr(c, name)), getattr(c, name))
    assert path.read_bytes() == before


@pytest.mark.parametrize(("name", "column", "value"), BROKEN)
def test_a_broken_row_is_named_with_file_and_rule(tmp_path: Path, name: str, column: str, value: Any) -> None:
    path = tmp_path / "t.jsonl"
    row = ROWS[name] | {column: value}
    with pytest.raises(UserError) as caught:
        t.write_table(path, [row], getattr(c, name))
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and f"row {row['id']}" in message and "\n" not in message
    assert not path.exists()


def test_the_message_gives_file_column_rule_row_and_value(tmp_path: Path) -> None:
    path = tmp_path / "segments.jsonl"
    with pytest.raises(UserError) as caught:
        t.write_table(path, [ROWS["Segments"] | {"peak_db": 7.5}], c.Segments)
    assert caught.value.message == f"{path}: peak_db: in [-120, 0.01]: row r-0001 = 7.5"


def test_overlap_is_found_within_a_recording_and_not_across(tmp_path: Path) -> None:
    first = ROWS["Segments"]
    later = first | {"id": "r-0002", "start": 2.9, "end": 5.4}
    with pytest.raises(UserError, match="do not overlap: row r-0002"):
        t.write_table(tmp_path / "t.jsonl", [later, first], c.Segments)
    t.write_table(tmp_path / "t.jsonl", [first, later | {"recording": "q"}], c.Segments)


def test_missing_unknown_and_double_columns_are_named(tmp_path: Path) -> None:
    row = ROWS["Rejected"]
    for rows, reason in [
        ([{k: v for k, v in row.items() if k != "reason"}], "reason: column is missing"),
        ([row | {"colour": "red"}], "colour: unknown column"),
        ([row, row], "id: unique: row r-0001"),
    ]:
        with pytest.raises(UserError, match=reason):
            t.write_table(tmp_path / "t.jsonl", rows, c.Rejected)


def test_an_empty_table_keeps_its_contract(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    t.write_table(path, [], c.Rejected)
    assert path.read_bytes() == b"\n" and len(t.read_table(path, c.Rejected)) == 0


def test_ids_that_look_like_numbers_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    t.write_table(path, [ROWS["Features"] | {"id": "007"}], c.Features)
    assert list(t.read_table(path, c.Features)["id"]) == ["007"]


@pytest.mark.parametrize(("line", "reason"), [("{", "line 1: not JSON"), ("[1]", "line 1: not an object")])
def test_a_file_that_is_no_table_says_where(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(UserError, match=reason):
        t.read_table(path, c.Rejected)
    with pytest.raises(UserError, match="no such table"):
        t.read_table(tmp_path / "gone.jsonl", c.Rejected)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("step\tloss\tvalid_loss\n0\t\t3.0\n10\t2.5\t2.0\n", None),
        ("step\tloss\tvalid_loss\n10\t\t3.0\n10\t2.5\t2.0\n", "step: rises: row line 3"),
        ("step\tloss\tvalid_loss\n0\tinf\t3.0\n", "loss: finite"),
        ("step\tloss\n0\t1\n", "valid_"),
        ("loss\tvalid_loss\n1\t1\n", "step: column is missing"),
    ],
)
def test_a_loss_curve_rises_in_step_and_is_finite(tmp_path: Path, text: str, reason: str | None) -> None:
    path = tmp_path / "loss.tsv"
    path.write_text(text)
    if reason is None:
        assert list(t.read_table(path, c.Loss)["step"]) == [0, 10]
    else:
        with pytest.raises(UserError, match=reason):
            t.read_table(path, c.Loss)


@pytest.mark.parametrize(
    "metrics",
    [
        {"word_error": -0.1},
        {"phone_error_base": -0.1},
        {"alignment_score_real": 1.01},
        {"a": {"speaker_similarity": 1.2}},
        {"x": math.nan},
        {"x": None},
        {"held_out_loss": -1},
    ],
)
def test_a_metric_off_its_range_is_named(metrics: dict[str, Any]) -> None:
    t.check_metrics(Path("metrics.json"), {"word_error": 0.4, "held_out": {"loss": 2.0}, "note": "x", "ok": True})
    with pytest.raises(UserError, match=r"metrics\.json: \S+ = "):
        t.check_metrics(Path("metrics.json"), metrics)


def test_rows_are_one_json_object_a_line_with_sorted_keys(tmp_path: Path) -> None:
    t.write_table(tmp_path / "t.jsonl", [ROWS["Aligned"] | {"text": "你好"}], c.Aligned)
    line = (tmp_path / "t.jsonl").read_text(encoding="utf-8")
    assert "你好" in line and list(json.loads(line)) == sorted(ROWS["Aligned"])


def test_a_text_with_an_unusual_line_break_stays_one_row(tmp_path: Path) -> None:
    row = ROWS["Words"] | {"text": "one\u2028two\x85three\x0bfour"}
    t.write_table(tmp_path / "t.jsonl", [row], c.Words)
    assert t.read_table(tmp_path / "t.jsonl", c.Words)["text"].tolist() == [row["text"]]
