"""What a text says about its own reading: [en]...[/en], 重(chong2)复, {word|W ER1 D}.

A marked text becomes a plain one in which single signs of the private planes say where a language begins and
which words have their reading fixed; these pass through the clean-up unchanged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from voice.errors import UserError
from voice.text.overrides import HAN, Override, Signs, is_pinyin, make_override, nearest_pinyin

# Signs of plane 16: from here on this language is said, or it is up to the text again.
FIRST_SWITCH = 0x100000
MODES = ("auto", "zh", "en", "ja", "ko", "yue")
SWITCHES = {chr(FIRST_SWITCH + place): mode for place, mode in enumerate(MODES)}
SWITCH = f"[\U00100000-{chr(FIRST_SWITCH + len(MODES) - 1)}]"
_SIGN_OF = {mode: sign for sign, mode in SWITCHES.items()}
_MOST_SYLLABLES = 64
_PRIVATE = re.compile("[\U000f0000-\U0010ffff]")
_TOKEN = re.compile(
    r"\[(?P<close>/?)(?P<name>[A-Za-z]{2,3})\]"
    r"|\{(?P<word>[^{}|\n]+)\|(?P<spelling>[^{}|\n]*)\}"
    r"|[(（](?P<pinyin>[a-zêü:1-5 ]{2,200})[)）]"
)
_TAIL = re.compile(rf"{HAN}*\Z")
# Codes of languages that are not read here; "[ok]" and "[sic]" are words.
_OTHER = frozenset("ar cs de es fa fi fr hi hu nl pl pt ro ru sv th tr uk ur vi".split())


@dataclass(frozen=True)
class Marked:
    """Text with signs, the overrides they stand for, and what was wrong with the marks."""

    text: str
    signs: Signs
    warnings: tuple[str, ...]


def parse_marks(text: str) -> Marked:
    """Take the marks out of `text`. Raises UserError for a reading in braces that is none."""
    text = _PRIVATE.sub("\ue000", text)
    signs, warnings = Signs(), []
    if not ("[" in text or "|" in text or "(" in text or "（" in text):
        return Marked(text, signs, ())
    switches, faults = _switches(text)
    warnings += faults
    pieces: list[str] = []
    place = 0
    for match in _TOKEN.finditer(text):
        pieces.append(text[place : match.start()])
        place = match.end()
        if match["name"]:
            pieces.append(switches.get(match.start(), match[0]))
        elif match["word"]:
            pieces.append(_braces(match, signs))
        else:
            before = _TAIL.search(pieces[-1][-_MOST_SYLLABLES:])
            word, fault = _parenthesis(match, before[0] if before else "")
            if word:
                pieces[-1] = pieces[-1][: -len(word)]
                pieces.append(signs.written(Override(word, "zh", tuple(match["pinyin"].split()), "inline")))
            else:
                pieces.append(match[0])
            warnings += [fault] if fault else []
    pieces.append(text[place:])
    return Marked("".join(pieces), signs, tuple(warnings))


def _switches(text: str) -> tuple[dict[int, str], list[str]]:
    """What replaces each language mark, by its place; "" for a mark that does nothing and is told."""
    found = [match for match in _TOKEN.finditer(text) if match["name"]]
    closed = {match["name"].lower() for match in found if match["close"]}
    made: dict[int, str] = {}
    warnings: list[str] = []
    opened: list[tuple[str, int]] = []
    depth = dict.fromkeys(MODES, 0)
    pairs: list[tuple[int, int, str]] = []

    def ignore(place: int, what: str) -> None:
        made[place] = ""
        warnings.append(f"{what} at column {place + 1}: the mark is ignored")

    for match in found:
        name, place = match["name"].lower(), match.start()
        if name not in MODES[1:]:
            if match["close"] or name in closed or match["name"] in _OTHER:
                ignore(place, f"unknown language mark {match[0]}")
        elif not match["close"]:
            opened.append((name, place))
            depth[name] += 1
        elif not depth[name]:
            ignore(place, f"{match[0]} without [{name}]")
        else:
            while opened[-1][0] != name:
                other, start = opened.pop()
                depth[other] -= 1
                ignore(start, f"[{other}] without [/{other}]")
            depth[name] -= 1
            pairs.append((opened.pop()[1], place, name))
    for name, start in opened:
        ignore(start, f"[{name}] without [/{name}]")
    return made | _nested(pairs), warnings


def _nested(pairs: list[tuple[int, int, str]]) -> dict[int, str]:
    """The language in force after each mark of pairs that lie inside or beside each other."""
    starts = {start: name for start, _, name in pairs}
    stack = ["auto"]
    made = {}
    for place in sorted([*starts, *(end for _, end, _ in pairs)]):
        if place in starts:
            stack.append(starts[place])
        else:
            stack.pop()
        made[place] = _SIGN_OF[stack[-1]]
    return made


def _braces(match: re.Match[str], signs: Signs) -> str:
    try:
        return signs.written(make_override(match["word"], match["spelling"], "inline"))
    except UserError as error:
        raise UserError(f"column {match.start() + 1}, {match[0]}: {error.message}", error.hint) from error


def _parenthesis(match: re.Match[str], before: str) -> tuple[str, str]:
    """The last of the characters `before` that the pinyin in a parenthesis reads, or none and, perhaps, a warning."""
    sounds = match["pinyin"].split()
    if not before or not all(re.fullmatch(r"[a-zêü:]{1,6}[1-5]", sound) for sound in sounds):
        return "", ""
    right = [is_pinyin(sound) for sound in sounds]
    where = f"column {match.start() + 1}, {match[0]}"
    if not all(right):
        bad = sounds[right.index(False)]
        close = nearest_pinyin(bad)
        if any(right):
            raise UserError(f"{where}: unknown phone {bad!r}", f"nearest is {close}" if close else "use pinyin")
        return "", f"{where} is read as text: {bad} is no pinyin, nearest is {close}" if close else ""
    if len(sounds) > len(before):
        return "", f"{where} is read as text: {len(sounds)} syllables for {len(before)} characters"
    return before[len(before) - len(sounds) :], ""
