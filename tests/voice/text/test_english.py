"""English reading: numbers and signs in words, then words in phones."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.text import Reading, read_text
from voice.text.english_names import SHORT_FORMS
from voice.text.lexicon import ipa_to_arpabet, pronunciations
from voice.text.normalise_en import spell_out
from voice.text.oov import predict
from voice.text.symbols import ENGLISH, MARKS

TRICKY = "0123456789 .,:/-~%$£€¥°'\"#@&+=<>()[]_*^!?…aAbBmMpPsStTkKgIVXé²½αΩ\n٣五"
WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCDEÀéßñł'’-", min_size=1, max_size=9)
PIECES = st.sampled_from(
    "Dr. St. e.g. U.S. No. 5 p.m. Nov. $3.50 1/2 2026-11-23 23/11/2026 14:30 10-20 -5 25°C 5kg IV Henry I A v2.0 "
    "3.11.2 a@b.com www.x.org/y main.py #tag @bob C# w/ 'em dogs' -- … 6'2\" £5 3bn 1st '90s FBI's the hello".split()
)


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


def test_a_word_has_the_rows_of_the_lexicon_file_in_its_order() -> None:
    import sqlite3

    from voice.text.lexicon import _database_uri

    connection = sqlite3.connect(_database_uri(), uri=True)
    rows = connection.execute("SELECT word, role, phonemes FROM word_phonemes ORDER BY word, pron_order").fetchall()
    connection.close()
    several = {word for (word, _, _), (same, _, _) in pairwise(rows) if word == same}
    assert len(several) > 1000
    wanted: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for word, role, ipa in rows:
        if word in several:
            wanted.setdefault(word, []).append((role.removeprefix("gruut:"), ipa_to_arpabet(ipa)))
    assert {word: list(pronunciations(word)) for word in several} == wanted


def test_all_of_the_lexicon_maps_onto_the_table() -> None:
    import sqlite3

    from voice.text.lexicon import _database_uri

    connection = sqlite3.connect(_database_uri(), uri=True)
    spellings = {phone for (row,) in connection.execute("SELECT phonemes FROM word_phonemes") for phone in row.split()}
    connection.close()
    assert len(spellings) > 50
    assert {ipa_to_arpabet(phone)[0] for phone in spellings} <= ENGLISH


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("It is 25°C.", "dictionary dictionary rule rule rule rule mark"),
        ("Dr. No is in the FBI.", "rule dictionary dictionary dictionary dictionary letters mark"),
        ("Vitamin B, plan A", "dictionary letters mark dictionary letters"),
        ("CPUs' DeepMind's", "letters mark dictionary"),
        ("a blorp and a pre-blorp", "dictionary model dictionary dictionary model"),
        ("the dogs' den", "dictionary dictionary mark dictionary"),
        ("five 5 U.S. us", "dictionary rule rule rule dictionary"),
    ],
)
def test_each_unit_says_where_its_reading_comes_from(text: str, sources: str) -> None:
    assert " ".join(read_text(text, "en").sources) == sources


def test_own_words_are_marked_so_and_win_over_rules() -> None:
    reading = read_text("Dr. Blorp's 5 blorps", "en", {"Blorp": "B L AA1 P", "five": "F IH1 F"})
    assert reading.sources == ("rule", "lexicon", "lexicon", "model")
    assert said(reading, "Blorp's") == "B L AA1 P S"


def test_own_words_change_no_reading_without_them() -> None:
    before = read_text("blorp", "en")
    read_text("blorp", "en", {"blorp": "B L AA1 P"})
    assert read_text("blorp", "en") == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("5 kg. ", "five kilograms ."),
        ("Nov. 5, at 5 p.m.", "November fifth , at five P M ."),
        ("A.1.b", None),
        ("$.5", None),
    ],
)
def test_written_out_text_is_not_written_out_again(before: str, after: str | None) -> None:
    once = spell_out(before)
    assert spell_out(once) == once
    assert after is None or once == after


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(st.text(max_size=40), st.text(alphabet=TRICKY, max_size=30), st.lists(PIECES, max_size=7).map(" ".join))
)
def test_writing_out_any_text_twice_changes_nothing(text: str) -> None:
    once = spell_out(text)
    assert spell_out(once) == once
    assert not any(c in "0123456789%&+=@$£€" for c in once)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(PIECES, st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCDEÀéßñł'’-", min_size=1, max_size=9)),
        max_size=6,
    )
)
def test_every_word_is_said_or_warned_of(words: list[str]) -> None:
    reading = read_text(" ".join(words), "en")
    letters = sum(any(c.isalnum() for c in word) for word in words)
    said_words = [word for word, source in zip(reading.words, reading.sources, strict=True) if source != "mark"]
    assert len(said_words) + len(reading.warnings) >= (1 if letters else 0)
    assert all(phone in ENGLISH or phone in MARKS for phone in reading.phones)
    for word in words:
        if word.isascii() and word.isalpha() and word.islower() and len(word) > 3:
            assert any(word in spoken.lower() for spoken in said_words) or word in SHORT_FORMS or "-" in " ".join(words)
