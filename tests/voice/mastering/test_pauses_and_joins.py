"""Silence follows the marks, and joined lines lose no sample and do not click."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.errors import UserError
from voice.mastering.joins import FADE, join, soft_edges
from voice.mastering.pauses import GAPS, Pauses

RATE = 24000
PAUSES = Pauses()


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Wait,", "comma"),
        ("等一下，", "comma"),
        ("Namely:", "colon"),
        ("He left.", "stop"),
        ("他走了。", "stop"),
        ("“He left.”", "stop"),
        ("走了吗？」", "question"),
        ("Really?!", "question"),
        ("And then...", "ellipsis"),
        ("然后……", "ellipsis"),
        ("no mark", "unmarked"),
        ("”", "unmarked"),
        ("", "unmarked"),
    ],
)
def test_the_last_mark_of_a_line_decides(text: str, field: str) -> None:
    assert PAUSES.before(text, "line") == getattr(PAUSES, field)


def test_gaps_make_a_pause_longer_and_what_the_script_asks_is_added() -> None:
    assert PAUSES.before(None, "chapter") == 0.0
    assert PAUSES.before(None, "start", 1.5) == 1.5
    assert PAUSES.before("Wait,", "paragraph") == 0.8
    assert PAUSES.before("Wait,", "chapter", 1.0) == 3.0
    assert Pauses(ellipsis=1.0).before("So...", "paragraph") == 1.0


@pytest.mark.parametrize("extra", [-0.1, 601.0, float("nan"), float("inf")])
def test_a_pause_that_cannot_be_meant_is_refused(extra: float) -> None:
    with pytest.raises(UserError, match="not in 0 to 600 s"):
        PAUSES.before("x", "line", extra)


def test_an_unknown_gap_is_a_fault_of_the_program() -> None:
    with pytest.raises(ValueError, match="gap 'page'"):
        PAUSES.before("x", "page")


@given(st.text(), st.sampled_from(GAPS), st.floats(0, 600))
def test_any_text_has_a_finite_pause(text: str, gap: str, extra: float) -> None:
    assert extra <= PAUSES.before(text, gap, extra) <= extra + 2.0


pieces = st.lists(st.tuples(st.integers(0, 500), st.floats(0, 0.05)), max_size=8)


@given(pieces)
def test_joined_lines_lie_where_they_say_and_nothing_is_lost(lengths: list[tuple[int, float]]) -> None:
    lines = [(np.full(n, 20, np.int16), pause) for n, pause in lengths]  # quiet: edges are left alone
    found = list(join(lines, RATE))
    whole = np.concatenate([np.zeros(0, np.int16), *(piece.audio for piece in found)])
    assert len(whole) == sum(n + round(pause * RATE) for n, pause in lengths)
    for piece, (line, _) in zip(found, lines, strict=True):
        np.testing.assert_array_equal(whole[piece.start : piece.end], line)
    assert int((whole != 0).sum()) == sum(n for n, _ in lengths)


def test_a_loud_edge_is_faded_and_the_inside_is_untouched() -> None:
    line = np.full(2400, 8000, np.int16)
    soft = soft_edges(line, RATE)
    fade = round(FADE * RATE)
    assert soft[0] == soft[-1] == 0
    assert (np.diff(soft[:fade].astype(int)) > 0).all() and (np.diff(soft[-fade:].astype(int)) < 0).all()
    np.testing.assert_array_equal(soft[fade:-fade], line[fade:-fade])


def test_only_the_loud_end_is_faded() -> None:
    line = np.concatenate([np.zeros(1000, np.int16), np.full(1000, -9000, np.int16)])
    soft = soft_edges(line, RATE)
    np.testing.assert_array_equal(soft[: 2000 - round(FADE * RATE)], line[: 2000 - round(FADE * RATE)])
    assert soft[-1] == 0


@given(st.lists(st.integers(-32768, 32767), max_size=40))
def test_a_line_shorter_than_two_fades_keeps_its_length_and_never_grows(values: list[int]) -> None:
    line = np.array(values, np.int16)
    soft = soft_edges(line, RATE)
    assert soft.dtype == np.int16 and len(soft) == len(line)
    assert (np.abs(soft.astype(int)) <= np.abs(line.astype(int))).all()
