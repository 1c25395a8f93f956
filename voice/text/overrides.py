"""Readings that the user fixes, in the text itself or in a lexicon: checked, and kept apart from what they replace."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache, cached_property

from voice.errors import UserError
from voice.text.cleaning import clean
from voice.text.reading import Unit
from voice.text.syllables import syllable_phones
from voice.text.symbols import ENGLISH, MARKS

HAN = r"[㐀-鿿\uf900-\ufaff〇々\U00020000-\U000323af]"
# A sign of plane 15 stands for an override inside a cleaned text; a user's own signs of that plane are taken out.
FIRST_SIGN, SIGN_COUNT = 0xF0000, 0xFFFE
SIGN = "[\U000f0000-\U000ffffd]"
_TONED = re.compile(r"[a-zêü:]+[1-5]")
_ALL_HAN = re.compile(f"{HAN}+")

Reader = Callable[[str], list[Unit]]


@dataclass(frozen=True)
class Override:
    """A word and how it is read: `sounds` are ARPAbet (lang "en") or numbered pinyin (lang "zh").

    With a `respelling` there are no sounds: those words are read in its place, and lang is empty.
    """

    word: str
    lang: str
    sounds: tuple[str, ...]
    source: str
    respelling: str = ""

    @cached_property
    def in_place(self) -> bool:
        """Whether the word stays in the text, its sign behind it, so that numbers beside it see it (2只)."""
        return self.lang == "zh" and bool(_ALL_HAN.fullmatch(self.word))

    def units(self, read: Reader) -> list[Unit]:
        """The reading on its own, without its neighbours; `read` reads a respelling."""
        if self.respelling:
            return self._respelled(read(self.respelling))
        if self.lang == "en":
            return [Unit(self.word, self.sounds, "en", self.source)]
        characters = "".join(self.word.split())
        found = [syllable_phones(sound) or () for sound in self.sounds]
        return [Unit(c, phones, "zh", self.source) for c, phones in zip(characters, found, strict=True)]

    def _respelled(self, units: list[Unit]) -> list[Unit]:
        spoken = [unit for unit in units if unit.word not in MARKS]
        if {unit.lang for unit in spoken} == {"en"}:
            return [Unit(self.word, tuple(phone for unit in spoken for phone in unit.phones), "en", self.source)]
        return [Unit(unit.word, unit.phones, unit.lang, self.source) for unit in spoken]


@dataclass
class Signs:
    """The overrides of one line by the sign that stands for each."""

    by_sign: dict[str, Override] = field(default_factory=dict)
    _known: dict[Override, str] = field(default_factory=dict)

    def sign(self, override: Override) -> str:
        """The sign of an override, the same for an equal one."""
        if override not in self._known:
            if len(self._known) == SIGN_COUNT:
                raise UserError(f"more than {SIGN_COUNT} different fixed readings in one text", "split the text")
            sign = chr(FIRST_SIGN + len(self._known))
            self._known[override] = sign
            self.by_sign[sign] = override
        return self._known[override]

    def written(self, override: Override) -> str:
        """What stands in the text for an overridden word."""
        return override.word + self.sign(override) if override.in_place else self.sign(override)

    def plain(self, text: str) -> str:
        """`text` as it was written, without signs."""

        def word(match: re.Match[str]) -> str:
            override = self.by_sign[match[0]]
            return "" if override.in_place else override.word

        return re.sub(SIGN, word, text) if self.by_sign else text

    def free_spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Parts of `text` that no override covers yet."""
        start = 0
        for match in re.finditer(SIGN, text) if self.by_sign else ():
            override = self.by_sign[match[0]]
            yield start, match.start() - (len(override.word) if override.in_place else 0)
            start = match.end()
        yield start, len(text)


def make_override(word: str, spelling: str, source: str) -> Override:
    """The checked reading of `word`: "W ER1 D", "hang2 zhang3", or "=other words". Raises UserError saying why not."""
    name = clean(word)
    if not any(character.isalnum() for character in name):
        raise UserError(f"{word!r} is no word", "give letters, characters or digits")
    if spelling.lstrip().startswith("="):
        other = spelling.strip()[1:].strip()
        if not any(character.isalnum() for character in other):
            raise UserError(f"{word!r} has no words after '='", 'write e.g. "=other words"')
        return Override(name, "", (), source, other)
    sounds = tuple(spelling.split())
    if not sounds:
        raise UserError(f"{word!r} has no pronunciation", 'write e.g. "W ER1 D", "zi4" or "=other words"')
    if all(sound in ENGLISH for sound in sounds):
        return Override(name, "en", sounds, source)
    characters = "".join(name.split())
    chinese = bool(re.search(HAN, characters)) and not any(sound.isupper() for sound in sounds)
    bad = next((sound for sound in sounds if not is_pinyin(sound)), "")
    if not bad and len(sounds) == len(characters):
        return Override(characters, "zh", sounds, source)
    if not chinese:
        raise UserError(*_arpabet_fault(word, sounds))
    if bad:
        close = nearest_pinyin(bad)
        hint = (f"nearest is {close}; " if close else "") + "use pinyin with tone 1 to 5, e.g. zi4"
        raise UserError(f"{word!r}: unknown phone {bad!r}", hint)
    message = f"{word!r}: {len(sounds)} syllables for {len(characters)} characters"
    raise UserError(message, "give one syllable per character")


def is_pinyin(sound: str) -> bool:
    """Whether `sound` is a pinyin syllable with a tone from 1 to 5."""
    return bool(_TONED.fullmatch(sound)) and syllable_phones(sound) is not None


def nearest_pinyin(sound: str) -> str:
    """The known syllable most like `sound`, with its tone, or nothing."""
    letters = sound.rstrip("0123456789").lower()
    tone = sound[-1] if sound[-1:] in tuple("12345") else "4"
    close = get_close_matches(letters, _syllables(), 6, 0.6)
    # Letters that changed places are the commonest slip.
    close.sort(key=lambda syllable: sorted(syllable) != sorted(letters))
    return close[0] + tone if close else ""


def _arpabet_fault(word: str, sounds: tuple[str, ...]) -> tuple[str, str]:
    """Message and hint for a reading that is no ARPAbet."""
    bad = next(sound for sound in sounds if sound not in ENGLISH)
    close = get_close_matches(bad.upper(), sorted(ENGLISH), 1, 0.3)
    hint = "use ARPAbet, vowels with stress 0, 1 or 2, e.g. W ER1 D; other words in its place are written =word"
    return f"{word!r}: unknown phone {bad!r}", f"nearest is {close[0]}; {hint}" if close else hint


@cache
def _syllables() -> tuple[str, ...]:
    """Every syllable of Mandarin without its tone."""
    from pypinyin.constants import PINYIN_DICT
    from pypinyin.contrib.tone_convert import to_normal

    toned = {sound for sounds in PINYIN_DICT.values() for sound in sounds.split(",")}
    return tuple(sorted({plain for plain in map(to_normal, toned) if syllable_phones(plain)}))
