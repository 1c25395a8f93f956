from __future__ import annotations

from tests.voice.alignment.frames import english
from voice.alignment.words import script_words
from voice.text import read_text
from voice.transcript import Token


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


def spelled(word: str, phones: object) -> list[int]:
    return [ord(c) for c in word.lower() if c.isalnum()]


def test_units_can_be_other_things_than_phones() -> None:
    """An aligner over letters asks for the spelling of the spoken words, numbers written out."""
    words, _ = script_words(["Pay 42."], lambda line: read_text(line, "en"), spelled)
    assert ["".join(map(chr, word.units)) for word in words] == ["pay", "fortytwo"]
