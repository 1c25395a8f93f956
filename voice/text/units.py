"""Units of the phone recogniser (CTC): phones of the text front end with tone and stress taken off.

Alignment asks which sound is spoken when; tone and stress are spread over a syllable and would only
split the little training data of each sound. Punctuation, pauses and the silent Mandarin onsets have no unit.
"""

from __future__ import annotations

from collections.abc import Iterable

_ENGLISH = (
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split()
)
_INITIALS = "b c ch d f g h j k l m n p q r s sh t w x y z zh".split()
_FINALS = (
    "a ai an ang ao e ei en eng er E En i i0 ia ian iang iao ie in ing iong ir iu o ong ou "
    "u ua uai uan uang ui un uo v van ve vn"
).split()

SILENT_ONSETS = frozenset({"AA", "EE", "OO"})
CTC_UNITS: list[str] = ["<blank>", *_ENGLISH, *_INITIALS, *_FINALS]
_INDEX = {unit: number for number, unit in enumerate(CTC_UNITS)}
_TONED = {f"{final}{tone}": _INDEX[final] for final in _FINALS for tone in "12345"}
_STRESSED = {f"{phone}{stress}": _INDEX[phone] for phone in _ENGLISH for stress in "012"}


def unit_of(phone: str) -> int | None:
    """Index in CTC_UNITS of a phone of the v2 table, or None when the phone has no sound of its own."""
    if phone in SILENT_ONSETS:
        return None
    for table in (_TONED, _STRESSED, _INDEX):
        if phone in table:
            return table[phone]
    return None


def units_of(phones: Iterable[str]) -> list[int]:
    """CTC units of `phones` of the v2 table; punctuation and pauses have none."""
    return [unit for phone in phones if (unit := unit_of(phone)) is not None]
