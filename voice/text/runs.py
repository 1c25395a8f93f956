"""Runs of English and of Mandarin in which readings are fixed: stand-ins carry them through the readers."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import replace

from voice.text.english import read_english
from voice.text.languages import Run
from voice.text.mandarin import read_mandarin
from voice.text.normalise_zh import spell_out
from voice.text.numbers_zh import cardinal, telephone
from voice.text.overrides import HAN, SIGN, Override, Signs
from voice.text.reading import Unit
from voice.text.syllables import syllable_phones

# Where a long run may be cut: readers see no further than a sentence, and some take more than linear time.
_LONGEST = 4000
_SENTENCE = re.compile(r"[!?…]\s*|\.(?!\S)\s*|\.(?=[㐀-鿿])")
# Characters of the last block of Unicode's Chinese ones; they stand for syllables where no text has them.
_RARE = range(0x30000, 0x3134B)
# A number behind a code, unless a count or a date goes on; one before a unit or a word, and these.
_CODE_BEFORE = re.compile("(?<![A-Za-z])[A-Z]{1,3}$")
_NAMING = re.compile(r"^\d{1,9}(?!\d|[.,:/~\-×÷+=]\d|\s?[年月日时点分秒个%‰°岁元人名位])")
_AMOUNT = re.compile(r"(?<![\d.,:/])(\d{1,15}(?:\.\d+)?)(\s?)$")
_QUANTITY = re.compile("\\s?(?:(?:[KMGT]i?B|[KMG]bps|Mbit|dpi|fps|px|rpm)(?![A-Za-z])|[a-z]{3,})")

Found = tuple[list[Unit], str, list[str]]


def cut_run(run: Run) -> Iterator[Run]:
    """Pieces of a long run: after a sentence where there is one, else between words."""
    text, start = run.text, 0
    while len(text) - start > _LONGEST:
        end = start + _LONGEST
        ends = [match.end() for match in _SENTENCE.finditer(text, start + _LONGEST // 2, end)]
        space = text.rfind(" ", start + 1, end)
        cut = ends[-1] if ends else space if space > 0 else end
        while cut < len(text) and re.match(SIGN, text[cut]):
            cut += 1
        yield replace(run, text=text[start:cut])
        start = cut
    yield replace(run, text=text[start:])


def read_english_run(text: str, signs: Signs, own: dict[str, tuple[str, ...]], shouting: bool) -> Found:
    """Units of an English run whose overridden words are single signs."""
    found = [signs.by_sign[sign] for sign in dict.fromkeys(re.findall(SIGN, text))]
    if not found:
        units, unread = read_english(text, own, shouting)
        return [_as_read(unit, own, shouting) for unit in units], unread, []
    prefix = "zq"
    while prefix in text.lower():
        prefix += "q"
    names = {_name(prefix, place): override for place, override in enumerate(found)}
    name_of = {signs.sign(override): name for name, override in names.items()}

    def stand_in(match: re.Match[str]) -> str:
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        return f"{' ' * before.isalnum()}{name_of[match[0]]}{' ' * after.isalnum()}"

    sounds = {name: override.sounds for name, override in names.items()}
    units, unread = read_english(re.sub(SIGN, stand_in, text), ChainMap(sounds, own), shouting)
    pattern = re.compile("|".join(sorted(names, key=len, reverse=True)), re.IGNORECASE)
    met: set[str] = set()

    def original(match: re.Match[str]) -> str:
        met.add(match[0].lower())
        return names[match[0].lower()].word

    read: list[Unit] = []
    for unit in units:
        word = pattern.sub(original, unit.word)
        if word == unit.word:
            read.append(_as_read(unit, own, shouting))
        else:
            inside = pattern.search(unit.word)
            source = names[inside[0].lower()].source if inside else unit.source
            read.append(replace(unit, word=word, source=source))
    return read, unread, _missed(override for name, override in names.items() if name not in met)


def _name(prefix: str, place: int) -> str:
    """A word of letters for a number; one length, so that none begins another."""
    letters = ""
    for _ in range(4):
        place, letter = divmod(place, 26)
        letters = chr(ord("a") + letter) + letters
    return prefix + letters


def _as_read(unit: Unit, own: Mapping[str, tuple[str, ...]], shouting: bool) -> Unit:
    """A unit whose word is found in the user's lexicon only in its normal form, or whose capitals mean nothing."""
    word = unit.word.lower() if shouting else unit.word
    return replace(unit, word=word, source="lexicon" if word.lower() in own else unit.source)


def said_beside_latin(text: str, before: str, after: str) -> str:
    """A Chinese run with its numbers at Latin neighbours written out: CO2 counts nothing, 256MB does."""
    if _CODE_BEFORE.search(before):
        text = _NAMING.sub(lambda m: telephone(m[0]) if len(m[0]) > 2 else cardinal(m[0]), text)
    if _QUANTITY.match(after):
        text = _AMOUNT.sub(lambda m: cardinal(m[1]) + m[2], text)
    return text


def read_mandarin_run(text: str, signs: Signs) -> Found:
    """Units of a Chinese run; the sign of an override stands behind its characters."""
    if not re.search(SIGN, text):
        units, unread = read_mandarin(text, {})
        return units, unread, []
    spelled = spell_out(text)
    rare = (chr(code) for code in _RARE if chr(code) not in spelled)
    stand_ins: dict[str, str] = {}
    said: list[tuple[str, str]] = []
    pieces: list[str] = []
    missed: list[Override] = []
    start = 0
    for match in re.finditer(SIGN, spelled):
        override = signs.by_sign[match[0]]
        word_start = match.start() - len(override.sounds)
        word = spelled[max(word_start, start) : match.start()]
        if len(word) != len(override.sounds) or not re.fullmatch(f"{HAN}+", word):
            missed.append(override)
            pieces.append(spelled[start : match.start()])
        else:
            for sound in override.sounds:
                if sound not in stand_ins:
                    stand_ins[sound] = next(rare)
            pieces += [spelled[start:word_start], *(stand_ins[sound] for sound in override.sounds)]
            said += [(character, override.source) for character in word]
        start = match.end()
    pieces.append(spelled[start:])
    own = {character: [sound] for sound, character in stand_ins.items()}
    units, unread = read_mandarin("".join(pieces), own)
    return *_restored(units, unread, own, said), _missed(missed)


def _restored(
    units: list[Unit], unread: str, own: Mapping[str, list[str]], said: list[tuple[str, str]]
) -> tuple[list[Unit], str]:
    """Units with the characters of the text again where a stand-in was read."""
    words = iter(said)
    read: list[Unit] = []
    for unit in units:
        if unit.word in own:
            word, source = next(words)
            phones = syllable_phones(own[unit.word][0]) or unit.phones
            read.append(Unit(word, phones, "zh", source))
        else:
            read.append(unit)
    return read, "".join(c for c in unread if c not in own)


def _missed(overrides: Iterator[Override] | list[Override]) -> list[str]:
    return [f"the reading given for {override.word!r} was not applied" for override in overrides]
