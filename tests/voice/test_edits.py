"""Edits hold for sound, not for numbers: a reject survives every new cut, an accept only the cut that was heard."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.edits import Edit, append_edit, apply_edits, make_edit, read_edits
from voice.errors import UserError

WHEN = "2026-01-31T12:00:00+00:00"


def edit(action: str, start: float, end: float, recording: str = "r", **more: Any) -> Edit:
    words = {"text": "what is said"} if action == "text" else {}
    values = {"recording": recording, "start": start, "end": end, "action": action, "who": "ann", "why": "noise"}
    return make_edit(**values | {"when": WHEN} | words | more)


def segment(name: str, start: float, end: float, recording: str = "r") -> dict[str, Any]:
    return {"id": name, "recording": recording, "start": start, "end": end}


def test_a_reject_takes_every_segment_that_has_part_of_it() -> None:
    cuts = [segment("a", 0, 4), segment("b", 4, 5.05), segment("c", 5.05, 7), segment("d", 4, 9, "other")]
    found = apply_edits(cuts, [edit("reject", 3.9, 5.16)])
    assert set(found.by_segment) == {"b", "c"}  # of a it has 0.1 s, which is not more than 0.1 s
    assert all(decision.rejected for decision in found.by_segment.values())


def test_a_short_reject_is_not_lost_between_two_cuts() -> None:
    cuts = [segment("a", 0, 5), segment("b", 5, 9)]
    assert set(apply_edits(cuts, [edit("reject", 4.95, 5.05)]).by_segment) == {"a", "b"}
    assert set(apply_edits(cuts, [edit("reject", 4.98, 5.05)]).by_segment) == {"b"}


def test_accept_and_text_need_the_same_cut() -> None:
    edits = [edit("accept", 1.0, 4.0), edit("text", 5.0, 8.0)]
    near = apply_edits([segment("a", 1.1, 3.9), segment("b", 4.9, 8.1)], edits)
    assert near.by_segment["a"].accepted == edits[0] and near.by_segment["b"].text == "what is said"
    assert near.stale == ()
    far = apply_edits([segment("a", 1.101, 4.0), segment("b", 5.0, 8.2)], edits)
    assert far.by_segment == {} and far.stale == tuple(edits) and far.idle == ()


def test_later_rows_win_but_a_correction_brings_nothing_back() -> None:
    reject, accept, text = edit("reject", 1, 4), edit("accept", 1, 4), edit("text", 1, 4)
    cuts = [segment("a", 1, 4)]

    def state(*edits: Edit) -> tuple[bool, bool, str | None]:
        decision = apply_edits(cuts, edits).by_segment["a"]
        return decision.rejected is not None, decision.accepted is not None, decision.text

    assert state(reject, accept) == (False, True, None)
    assert state(accept, reject) == (True, False, None)
    assert state(reject, text) == (True, False, "what is said")
    assert state(text, accept) == (False, True, "what is said")
    assert state(text, edit("text", 1, 4, text="better")) == (False, False, "better")


def test_cut_anew_a_reject_holds_again_when_its_accept_is_stale() -> None:
    edits = [edit("reject", 1, 4), edit("accept", 1, 4)]
    found = apply_edits([segment("a", 1, 6)], edits)
    assert found.by_segment["a"].rejected == edits[0] and found.stale == (edits[1],)


def test_a_reject_of_what_is_not_there_is_told() -> None:
    lost = edit("reject", 1, 4, "nowhere")
    assert apply_edits([segment("a", 1, 4)], [lost]).idle == (lost,)


SECONDS = st.integers(0, 2000).map(lambda n: n / 100)


@settings(max_examples=150, deadline=None)
@given(SECONDS, st.integers(1, 800).map(lambda n: n / 100), st.lists(SECONDS, max_size=12))
def test_however_it_is_cut_no_segment_keeps_more_than_a_tenth_of_a_second_of_a_reject(
    start: float, length: float, cuts: list[float]
) -> None:
    bounds = sorted({0.0, 40.0, *cuts})
    segments = [segment(str(i), a, b) for i, (a, b) in enumerate(zip(bounds, bounds[1:], strict=False))]
    end = round(start + length, 2)
    found = apply_edits(segments, [edit("reject", start, end)]).by_segment
    kept = [max(0.0, min(s["end"], end) - max(s["start"], start)) for s in segments if s["id"] not in found]
    assert all(part <= 0.1 + 1e-6 for part in kept)
    if len(segments) <= 2:
        assert found


def test_rows_are_written_and_read_again_and_those_before_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "edits.jsonl"
    by_hand = '\ufeff{"why":"hum" ,"recording":"r","start":1,"end":4,"action":"reject","who":"Zoë","when":"2026-01-31"}'
    path.write_text(by_hand, encoding="utf-8")
    new = edit("text", 1.25, 4.5, segment="r-0001", text="  er  sagte ﬁn  ")
    assert append_edit(path, new) == read_edits(path)
    assert path.read_text(encoding="utf-8").startswith(by_hand + "\n")
    assert read_edits(path)[1] == new and new.text == "er sagte ﬁn"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["edits.jsonl"]
    assert read_edits(tmp_path / "none.jsonl") == []


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=10))
def test_any_words_round_trip_or_are_refused(text: str, who: str) -> None:
    try:
        made = edit("text", 0, 1, text=text, who=who)
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert Edit.model_validate(json.loads(made.line())) == made and made.line().count("\n") == 1


GOOD = json.loads(edit("reject", 1, 4).line())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"action": "keep"}, "action = 'keep'"),
        ({"end": 1.0}, "end 1 is not after start 1"),
        ({"start": -1.0}, "start = -1.0"),
        ({"start": "1"}, "start = '1'"),
        ({"start": float("nan")}, "start"),
        ({"recording": "../r"}, "recording = '../r'"),
        ({"text": "x"}, "the others have none"),
        ({"action": "text"}, "needs `text`"),
        ({"action": "text", "text": "..."}, "holds no letter or digit"),
        ({"who": " "}, "who = ' '"),
        ({"when": "yesterday"}, "should be a date and time"),
        ({"when": 5}, "should be a date and time"),
        ({"why": None}, "why"),
        ({"sgement": "x"}, "sgement: unknown key"),
    ],
)
def test_a_wrong_row_is_one_line_with_its_number_and_nothing_is_added(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    path = tmp_path / "edits.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n\n{json.dumps(GOOD | change)}\n")
    before = path.read_bytes()
    with pytest.raises(UserError) as caught:
        append_edit(path, edit("accept", 1, 4))
    assert "edits.jsonl: line 3: " in str(caught.value) and said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"recording": "r"', "line 1: not JSON"),
        (b"[]", "line 1: not a JSON object"),
        (b'{"who": "a", "who": "b"}', "key 'who' is there twice"),
        (b"{}", "line 1: recording: missing"),
        (b"\n\xff", "line 2: not UTF-8 at byte 1"),
    ],
)
def test_a_broken_file_is_one_line(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "edits.jsonl").write_bytes(data)
    with pytest.raises(UserError, match=said):
        read_edits(tmp_path / "edits.jsonl")


def _append(path: Path, who: str) -> None:
    for _ in range(10):
        append_edit(path, edit("reject", 1, 4, who=who))


def test_two_processes_lose_no_row(tmp_path: Path) -> None:
    path = tmp_path / "edits.jsonl"
    work = [multiprocessing.get_context("fork").Process(target=_append, args=(path, who)) for who in "abc"]
    for process in work:
        process.start()
    for process in work:
        process.join(30)
    assert sorted(e.who for e in read_edits(path)) == sorted("abc" * 10)
