"""Korean text to phones: numbers and letters in Hangul, pronunciation rules, then single jamo.

A syllable becomes its letters in the order they are said; compound vowels and clusters are divided into
letters of the table (ㅘ -> ㅗ ㅏ). A space is "空".
"""

from __future__ import annotations

import re
import unicodedata

from voice.text.cleaning import is_silent
from voice.text.korean_numbers import spell_out
from voice.text.korean_rules import pronounce, tags
from voice.text.reading import Unit
from voice.text.symbols import MARKS

SPACE = "空"
UNKNOWN_SIGN = "停"
_LETTERS = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        (
            "에이 비 시 디 이 에프 지 에이치 아이 제이 케이 엘 엠 "
            "엔 오 피 큐 아르 에스 티 유 브이 더블유 엑스 와이 제트"
        ).split(),
        strict=True,
    )
)
_ONSETS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_CODAS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_DIVIDED = {
    "ㅑ": "ㅣㅏ", "ㅒ": "ㅣㅐ", "ㅕ": "ㅣㅓ", "ㅖ": "ㅣㅔ", "ㅛ": "ㅣㅗ", "ㅠ": "ㅣㅜ", "ㅘ": "ㅗㅏ", "ㅙ": "ㅗㅐ",
    "ㅚ": "ㅗㅣ", "ㅝ": "ㅜㅓ", "ㅞ": "ㅜㅔ", "ㅟ": "ㅜㅣ", "ㅢ": "ㅡㅣ", "ㄳ": "ㄱㅅ", "ㄵ": "ㄴㅈ", "ㄶ": "ㄴㅎ",
    "ㄺ": "ㄹㄱ", "ㄻ": "ㄹㅁ", "ㄼ": "ㄹㅂ", "ㄽ": "ㄹㅅ", "ㄾ": "ㄹㅌ", "ㄿ": "ㄹㅍ", "ㅀ": "ㄹㅎ", "ㅄ": "ㅂㅅ",
}  # fmt: skip
_JAMO = frozenset(_ONSETS + _VOWELS + "".join(_DIVIDED))
_HANGUL = "가-힣ㄱ-ㅎㅏ-ㅣ"
_MARK_CLASS = re.escape(MARKS)
_TOKEN = re.compile(rf"[{_MARK_CLASS}]|\s|[^\s{_MARK_CLASS}]+")
_READABLE = re.compile(rf"[{_HANGUL}\s{_MARK_CLASS}]")
_FIRST_SYLLABLE = 0xAC00


def read_korean(text: str) -> tuple[list[Unit], str]:
    """Units of a cleaned Korean run and the characters nobody could read.

    A unit is one word between spaces, one space or one mark; the word is named as it is spelled once numbers
    and Latin letters are in Hangul. A run that ends in a word gets a final "." as the models were trained.
    """
    plain = "".join(_loose(c) if "\u1100" <= c <= "\u11ff" else c for c in unicodedata.normalize("NFC", text))
    spelled = spell_letters(spell_out(plain, tags))
    unread = "".join(c for c in spelled if not _READABLE.match(c) and not is_silent(c))
    spelled = "".join(c if _READABLE.match(c) else "" for c in spelled)
    spelled = re.sub(rf"([{_MARK_CLASS}])(?:\s*[{_MARK_CLASS}])+", r"\1", re.sub(r"\s+", " ", spelled))
    if not re.search(f"[{_HANGUL}]", spelled):
        return [Unit(c, (c,), "ko", "mark") for c in spelled if c in MARKS][:1], unread
    written, said = _TOKEN.findall(spelled), _TOKEN.findall(pronounce(spelled))
    if len(written) != len(said):
        written = said
    units = [_unit(word, sound) for word, sound in zip(written, said, strict=True)]
    if units[-1].source == "rule":
        units.append(Unit(".", (".",), "ko", "mark"))
    return units, unread


def _unit(word: str, sound: str) -> Unit:
    plain = sound in MARKS or sound == " "
    return Unit(word, divide(sound), "ko", "mark" if plain else "rule")


def spell_letters(text: str) -> str:
    """Latin letters by their Korean names: KBS -> 케이비에스."""
    return re.sub("[A-Za-z]", lambda m: _LETTERS[m[0].lower()], text)


def jamo_phones(pronounced: str) -> tuple[str, ...]:
    """Phones of a whole pronounced text: its letters, and "." when it ends in one."""
    phones = divide(pronounced)
    return (*phones, ".") if phones and phones[-1] in _JAMO else phones


def divide(pronounced: str) -> tuple[str, ...]:
    """Phones of Hangul as it is said, character by character; what is not Hangul or a mark is "停"."""
    return tuple(phone for character in pronounced for phone in _phones(character))


def _phones(character: str) -> str:
    if "가" <= character <= "힣":
        place = ord(character) - _FIRST_SYLLABLE
        letters = _ONSETS[place // 588] + _VOWELS[place % 588 // 28] + _CODAS[place % 28].strip()
        return "".join(_DIVIDED.get(letter, letter) for letter in letters)
    if character in _JAMO:
        return _DIVIDED.get(character, character)
    if "\u1100" <= character <= "\u11ff":
        # The rules may leave a letter without a syllable.
        letter = _loose(character)
        return _DIVIDED.get(letter, letter) if letter in _JAMO else UNKNOWN_SIGN
    if character in MARKS:
        return character
    return SPACE if character.isspace() else UNKNOWN_SIGN


def _loose(character: str) -> str:
    """A letter out of its syllable (Unicode's conjoining form) as a letter that stands alone."""
    place = ord(character)
    for start, letters in ((0x1100, _ONSETS), (0x1161, _VOWELS), (0x11A7, _CODAS)):
        if start <= place < start + len(letters):
            return letters[place - start]
    return character
