from __future__ import annotations

import torch

from tests.voice.alignment.frames import english, heard, said
from voice.alignment.placing import share_words
from voice.alignment.words import Word, script_words
from voice.text import read_text

LINES = (
    "The harbour was quiet when the boats came home.",
    "Martha counted the baskets twice and wrote the number.",
    "Seven children played beside the old stone wall.",
)


def script(lines: tuple[str, ...] = LINES) -> tuple[list[Word], list[int]]:
    parts = [english(line) for line in lines]
    return [word for part in parts for word in part], [n for n, part in enumerate(parts) for _ in part]


def sounds(*parts: list[Word]) -> list[torch.Tensor]:
    return [heard([0, *said(part)]) for part in parts]


def test_words_go_to_the_segment_they_are_said_in_whatever_the_lines() -> None:
    words, lines = script()
    shares = share_words(sounds(words[:5], words[5:14], words[14:]), words, lines)
    assert shares.segments == (tuple(range(5)), tuple(range(5, 14)), tuple(range(14, len(words))))
    assert shares.unspoken == () and shares.torn == (False, False, False)


def test_a_line_that_was_left_out_is_named_and_tears_nothing() -> None:
    words, lines = script()
    second = [n for n, line in enumerate(lines) if line == 1]
    shares = share_words(sounds(words[: second[0]], words[second[-1] + 1 :]), words, lines)
    assert shares.unspoken == tuple(second) and shares.torn == (False, False)


def test_half_a_line_tears_its_segment() -> None:
    words, lines = script()
    shares = share_words(sounds(words[:4], words[len(english(LINES[0])) :]), words, lines)
    assert shares.unspoken == tuple(range(4, len(english(LINES[0])))) and shares.torn == (True, False)


def test_speech_that_is_not_written_gets_no_words() -> None:
    words, lines = script()
    other = english("Nobody knows why green ideas sleep so furiously at night.")
    cut = len(english(LINES[0]))
    shares = share_words(sounds(words[:cut], other, words[cut:]), words, lines)
    assert shares.segments[1] == () and shares.unspoken == ()


def test_of_two_lines_in_the_wrong_order_one_is_found() -> None:
    words, lines = script(LINES[:2])
    first, second = english(LINES[0]), english(LINES[1])
    shares = share_words(sounds(second, first), words, lines)
    found = [n for share in shares.segments for n in share]
    assert {lines[n] for n in found} in ({0}, {1}) and len(shares.unspoken) == len(words) - len(found)


def test_a_sign_without_sound_stays_with_its_neighbour() -> None:
    words, _ = script_words(["— Well — yes."], lambda line: read_text(line, "en"))
    shares = share_words(sounds([w for w in words if w.units]), words, [0] * len(words))
    assert shares.segments == (tuple(range(len(words))),)


def test_no_segment_and_no_word() -> None:
    words, lines = script()
    assert share_words([], words, lines).unspoken == tuple(range(len(words)))
    assert share_words(sounds(words), [], []).segments == ((),)
