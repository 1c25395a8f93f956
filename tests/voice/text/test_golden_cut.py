"""The published cutting methods against the golden record. There are no deliberate differences from it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.golden import load
from voice.errors import UserError
from voice.text.cut import CUT_METHODS, SPLITS, cut, split_big_text

GOLDEN = load("text_cut")
CASES = [
    (method, text, wanted)
    for method, results in GOLDEN["cut"].items()
    for text, wanted in zip(GOLDEN["inputs"], results, strict=True)
]


def test_the_record_covers_every_method() -> None:
    assert tuple(GOLDEN["cut"]) == CUT_METHODS and len(CASES) == 36


@pytest.mark.parametrize(("method", "text", "wanted"), CASES)
def test_a_method_cuts_as_recorded(method: str, text: str, wanted: str) -> None:
    assert cut(text, method) == wanted


def test_the_marks_are_those_recorded() -> None:
    assert sorted(SPLITS) == sorted(GOLDEN["splits"])


def test_a_big_text_is_split_as_recorded() -> None:
    wanted = GOLDEN["split_big_text"]
    assert split_big_text("".join(wanted)) == wanted


@pytest.mark.parametrize(("marks", "lines"), [(4, 1), (5, 1), (8, 1), (9, 2), (12, 2), (13, 3)])
def test_cut1_groups_four_and_the_rest_joins_the_last(marks: int, lines: int) -> None:
    found = cut("一二，" * marks, "cut1").split("\n")
    assert len(found) == lines and all(line.count("，") == 4 for line in found[:-1])


@pytest.mark.parametrize(("sizes", "wanted"), [((30, 20, 60), [52, 61]), ((60, 60), [61, 61]), ((60, 30), [92])])
def test_cut2_groups_by_characters(sizes: tuple[int, ...], wanted: list[int]) -> None:
    text = "".join("字" * size + "。" for size in sizes)
    assert [len(line) for line in cut(text, "cut2").split("\n")] == wanted


def test_dots_of_numbers_are_no_cuts() -> None:
    assert cut("Pay 3.50 now. It is v1.2.3. Done", "cut4") == "Pay 3.50 now\n It is v1.2.3\n Done"
    assert cut("圆周率是3.14。好", "cut5") == "圆周率是3.14。\n好"


def test_an_unknown_method_is_named_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="cut9.*cut0, cut1"):
        cut("text", "cut9")


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="字a3 ，。.,!?…—\n", max_size=60), st.sampled_from(CUT_METHODS))
def test_words_and_their_order_are_kept(text: str, method: str) -> None:
    def words(of: str) -> str:
        return "".join(c for c in of if c.isalnum())

    assert words(cut(text, method)) == words(text)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="字a ，。!", max_size=80), st.integers(1, 30))
def test_a_big_text_loses_nothing(text: str, limit: int) -> None:
    pieces = split_big_text(text, limit)
    assert "".join(pieces) == text
    assert all(len(piece) <= limit or sum(c in SPLITS for c in piece) <= 1 for piece in pieces)
