from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.align import Placed, Word, place_units, place_words, script_words, share_out
from voice.errors import UserError
from voice.text import read_text
from voice.text.units import CTC_UNITS
from voice.transcript import Token

UNITS = len(CTC_UNITS)


def heard(frames: list[int], sure: float = 0.9) -> torch.Tensor:
    """Log-probabilities that favour one unit a frame, [T, U]."""
    rest = (1 - sure) / (UNITS - 1)
    probs = torch.full((len(frames), UNITS), rest)
    probs[torch.arange(len(frames)), torch.tensor(frames)] = sure
    return probs.log()


def english(text: str) -> list[Word]:
    return script_words([text], lambda line: read_text(line, "en"))[0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, UNITS - 1), st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=20))
def test_units_are_found_where_they_sound(sounds: list[tuple[int, int, int]]) -> None:
    frames: list[int] = [0]
    truth: list[tuple[int, int]] = []
    for unit, length, pause in sounds:
        truth.append((len(frames), len(frames) + length))
        frames += [unit] * length + [0] * pause
    placed = place_units(heard(frames), [unit for unit, _, _ in sounds])
    assert [(p.start, p.end) for p in placed] == truth
    assert all(p.score == pytest.approx(0.9, abs=1e-3) for p in placed)


def test_a_sound_that_is_not_there_scores_low() -> None:
    good, bad = place_units(heard([0, 5, 5, 0, 9, 9, 0]), [5, 7])
    assert good.score > 0.8 and bad.score < 0.1


def test_words_go_to_the_segment_that_holds_their_middle_whatever_the_lines() -> None:
    """Two lines, three segments, and the second segment begins inside the first line."""
    words, notes = script_words(["One two", "three four."], lambda line: read_text(line, "en"))
    assert [w.token.text for w in words] == ["One", "two", "three", "four."] and notes == []
    frames, lengths = [], []
    for group in (words[:1], words[1:3], words[3:]):
        part = [frame for word in group for unit in word.units for frame in (unit, unit, 0)]
        frames += [0, *part]
        lengths.append(len(part) + 1)
    placed = place_words(heard(frames), words)
    assert share_out(placed, lengths) == [[0], [1, 2], [3]]


def test_a_segment_without_words_stays_empty_and_every_word_goes_somewhere() -> None:
    placed = [Placed(0, 4, 1.0), None, Placed(20, 24, 1.0)]
    assert share_out(placed, [10, 5, 15]) == [[0, 1], [], [2]]
    assert share_out([None, Placed(12, 13, 1.0)], [10, 5]) == [[], [0, 1]]


def test_a_number_takes_all_the_words_it_is_read_as() -> None:
    words = english("He paid 42 dollars.")
    assert [w.token.text for w in words] == ["He", "paid", "42", "dollars."]
    assert len(words[2].units) > 6  # forty-two
    assert all(w.units for w in words)


def test_chinese_words_are_characters_with_the_readings_of_their_line() -> None:
    words, _ = script_words(["银行里，很行。"], lambda line: read_text(line, "zh"))
    assert [w.token.text for w in words] == ["银", "行", "里，", "很", "行。"]
    assert words[1].units != words[4].units  # hang and xing


def test_mixed_lines_keep_one_entry_a_word() -> None:
    words, _ = script_words(["我用Python写code。", "Good bye"], read_text)
    assert [w.token.text for w in words] == ["我", "用", "Python", "写", "code。", "Good", "bye"]
    assert words[5].token == Token("Good", spaced=True)


def test_more_sounds_than_frames_is_the_users_mistake() -> None:
    with pytest.raises(UserError, match="needs 5 frames, the speech has 3"):
        place_units(heard([5, 6, 7]), [5, 5, 6, 7])
    with pytest.raises(UserError, match="no readable word"):
        place_units(heard([5, 6, 7]), [])
