"""English reading: numbers and signs in words, then words in phones."""

from __future__ import annotations

import pytest

from voice.text import Reading, read_text
from voice.text.lexicon import ipa_to_arpabet, pronunciations
from voice.text.oov import predict
from voice.text.symbols import ENGLISH


def said(reading: Reading, word: str) -> str:
    """Phones of the first unit written `word`."""
    place = reading.words.index(word)
    start = sum(reading.word2ph[:place])
    return " ".join(reading.phones[start : start + reading.word2ph[place]])


@pytest.mark.parametrize(
    ("text", "norm"),
    [
        ("I paid $12.50 in 1999.", "I paid twelve dollars and fifty cents in nineteen ninety nine."),
        ("$1, $0.99, £7.14", "one dollar, ninety nine cents, seven pounds and fourteen pence"),
        ("$3.5 million", "three point five million dollars"),
        ("2005 1900 1905", "two thousand five nineteen hundred nineteen oh five"),
        ("the 1980s and '90s", "the nineteen eighties and nineties"),
        ("It is 20% off.", "It is twenty percent off."),
        ("1,234,500 men", "one million two hundred thirty four thousand five hundred men"),
        ("3.05 007", "three point zero five zero zero seven"),
        ("21st of May", "twenty first of May"),
        ("at 3:30 pm or 10:05", "at three thirty P M or ten oh five"),
        ("on 2024-05-06", "on May sixth twenty twenty four"),
        ("1/2, 3/4, 7/8", "one half, three quarters, seven eighths"),
        ("pages 10-20", "pages ten to twenty"),
        ("x + y = z, -5 - 3", "x plus y equals z, minus five minus three"),
        ("20km/h and 4°F, 1 kg", "twenty kilometers per hour and four degrees Fahrenheit, one kilogram"),
        ("Dr. Smith vs. Mr. Jones, e.g. me", "doctor Smith versus mister Jones, for example me"),
        ("Call 555-1234", "Call five five five, one two three four"),
        ("v2.0 GPT-4", "v two point zero GPT four"),
        ("half: no; don’t", "half, no, don't"),
        ("me@example.com", "me at example dot com"),
        ("café naïve Ångström", "cafe naive Angstrom"),
        ("½ cup, 100㎡", "one half cup, one hundred square meters"),
        ("Wait... what?!", "Wait… what?"),
        ("one — two", "one- two"),
        ("1111111111111111", " ".join(["one"] * 16)),
    ],
)  # fmt: skip
def test_text_is_written_out_in_words(text: str, norm: str) -> None:
    reading = read_text(text, "en")
    assert reading.norm == norm
    assert reading.warnings == ()


def test_a_plain_sentence_reads_by_the_lexicon() -> None:
    reading = read_text("The world is quiet!")
    assert " ".join(reading.phones) == "DH AH0 W ER1 L D IH1 Z K W AY1 AH0 T !"
    assert reading.words == ("The", "world", "is", "quiet", "!")
    assert reading.word2ph == (2, 4, 2, 5, 1)
    assert set(reading.langs) == {"en"}


@pytest.mark.parametrize(
    ("text", "word", "phones"),
    [
        ("She will read it.", "read", "R IY1 D"),
        ("She has read it.", "read", "R EH1 D"),
        ("I read it yesterday.", "read", "R EH1 D"),
        ("a record", "record", "R EH1 K ER0 D"),
        ("to record", "record", "R IH0 K AO1 R D"),
        ("the wind", "wind", "W IH1 N D"),
        ("to wind", "wind", "W AY1 N D"),
        ("a live show", "live", "L AY1 V"),
        ("I live here", "live", "L IH1 V"),
        ("the use", "use", "Y UW1 S"),
        ("you use it", "use", "Y UW1 Z"),
    ],
)
def test_neighbours_choose_the_reading_of_a_homograph(text: str, word: str, phones: str) -> None:
    assert said(read_text(text), word) == phones


def test_capitals_are_a_word_if_known_and_letters_if_not() -> None:
    reading = read_text("NASA asked the FBI and the US about it")
    assert said(reading, "NASA") == "N AE1 S AH0"
    assert said(reading, "FBI") == "EH1 F B IY1 AY1"
    assert said(reading, "US") == "Y UW1 EH1 S"


def test_a_line_in_capitals_is_read_like_the_same_line_in_small_letters() -> None:
    text = "HE TOLD US THAT MISTER SMITH'S OLD SCRAWLINGS WERE A GOOD RECORD"
    assert read_text(text).phones == read_text(text.lower()).phones


def test_article_a_and_letter_a_differ() -> None:
    reading = read_text("A plan is plan A.")
    assert reading.phones[0] == "AH0"
    assert reading.phones[-2:] == ("EY1", ".")


def test_possessives_and_plurals_follow_the_sound_before() -> None:
    assert said(read_text("Zhang's"), "Zhang's")[-2:] == " Z"
    assert said(read_text("three PCs"), "PCs") == "P IY1 S IY1 Z"
    assert said(read_text("the bus's"), "bus's").endswith("S AH0 Z")
    assert said(read_text("the dogs' den"), "dogs'") == said(read_text("the dogs den"), "dogs")


def test_compounds_are_read_by_their_parts() -> None:
    assert said(read_text("well-known"), "well-known") == "W EH1 L N OW1 N"
    assert said(read_text("DeepMind"), "DeepMind") == "D IY1 P M AY1 N D"


def test_unknown_words_get_plausible_phones() -> None:
    assert pronunciations("scrawlings") == ()
    assert predict("scrawlings") == ("S", "K", "R", "AO1", "L", "IH0", "NG", "Z")
    assert predict("") == ()


def test_unknown_words_do_not_change_with_repetition() -> None:
    assert predict("reprovoice") == predict.__wrapped__("reprovoice")


def test_ipa_maps_onto_arpabet() -> None:
    assert ipa_to_arpabet("d͡ʒ ˈʌ d͡ʒ ˌoʊ ə") == ("JH", "AH1", "JH", "OW2", "AH0")


def test_all_of_the_lexicon_maps_onto_the_table() -> None:
    import sqlite3

    from voice.text.lexicon import _database_uri

    connection = sqlite3.connect(_database_uri(), uri=True)
    spellings = {phone for (row,) in connection.execute("SELECT phonemes FROM word_phonemes") for phone in row.split()}
    connection.close()
    assert len(spellings) > 50
    assert {ipa_to_arpabet(phone)[0] for phone in spellings} <= ENGLISH
