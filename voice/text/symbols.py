"""The phone tables of the GPT-SoVITS design, built from compact lists (specification 5.1).

Version 1 is one sorted set; version 2 appends pitch marks, Korean letters and Cantonese units, so an id
of version 1 keeps its meaning. A phone's id is its place in the table.
"""

from __future__ import annotations

from collections.abc import Iterable

MARKS = "!?…,.-"
UNKNOWN = "UNK"
SILENT_ONSETS = {"a": "AA", "e": "EE", "o": "OO"}
INITIALS = frozenset("b p m f d t n l g k h j q x zh ch sh r z c s y w".split())
FINALS = frozenset(
    (
        "a ai an ang ao e E ei en En eng er i i0 ir ia ian iang iao ie in ing iong iu o ong ou "
        "u ua uai uan uang ui un uo v van ve vn"
    ).split()
)
TONES = "12345"
VOWELS = "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split()
CONSONANTS = "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split()
ENGLISH = frozenset(CONSONANTS) | {vowel + stress for vowel in VOWELS for stress in "012"}

_PAUSES = "_ SP SP2 SP3".split()
_BARE_VOWELS = "ER IH".split()
_JAPANESE = "a i u e o I U N b by ch cl d dy f g gy h hy j k ky m my n ny p py r ry s sh t ts v w y z".split()
_HANGUL = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎㅏㅐㅓㅔㅗㅜㅡㅣ空停"
# Cantonese: onsets (several vowels may also open a syllable) and what follows them, which carries the tone.
_YUE_ONSETS = "a aa ai ak au b c d e f g gw h j k kw l m n ng o oi ok on ou p s t uk w z".split()
_YUE_RIMES = (
    "a aa aai aak aam aan aang aap aat aau ai ak am an ang ap at au e ei ek eng eoi eon eot g i ik im in ing "
    "ip it iu k m n o oe oek oeng oi ok on ong ot ou p t u ui uk un ung ut yu yun yut"
).split()


def _version1() -> list[str]:
    mandarin = {*SILENT_ONSETS.values(), *INITIALS} | {final + tone for final in FINALS for tone in TONES}
    return sorted({*_PAUSES, UNKNOWN, *MARKS, *_JAPANESE, *_BARE_VOWELS} | ENGLISH | mandarin)


def _version2() -> list[str]:
    cantonese = {"Y" + onset for onset in _YUE_ONSETS}
    cantonese |= {f"Y{rime}{tone}" for rime in _YUE_RIMES for tone in "123456"}
    return [*_version1(), "[", "]", *sorted(_HANGUL), *sorted(cantonese)]


V1_COUNT = len(_version1())
SYMBOLS: tuple[str, ...] = tuple(_version2())
_IDS = {symbol: number for number, symbol in enumerate(SYMBOLS)}


def phone_ids(phones: Iterable[str]) -> list[int]:
    """Ids of phones in the version 2 table; a phone outside it gets the id of UNK."""
    unknown = _IDS[UNKNOWN]
    return [_IDS.get(phone, unknown) for phone in phones]
