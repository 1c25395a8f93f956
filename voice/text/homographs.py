"""Which reading of an English word written one way and said in several, by rules on its neighbours.

The lexicon marks readings by part of speech (VB verb, VBD past, NN noun, JJ adjective). Nothing is parsed:
words with senses of their own have their clues in `homograph_clues`; for the rest the words before and after
say which part of speech fits, and without any sign the lexicon's first reading stands.
"""

from __future__ import annotations

from collections.abc import Sequence

from voice.text.homograph_clues import clue
from voice.text.lexicon import Pronunciation
from voice.text.symbols import MARKS

_MODALS = frozenset(
    (
        "to will would can could shall should may might must do does did don't doesn't didn't won't can't cannot "
        "couldn't wouldn't shouldn't mustn't let's please i'll you'll we'll they'll he'll she'll it'll i'd you'd we'd "
        "gonna wanna not"
    ).split()
)
_SUBJECTS = frozenset("i you we they who people".split())
_THIRD_PERSON = frozenset("he she it everyone someone nobody".split())
_HELPERS = frozenset(
    "let make makes made help helped see saw watch hear heard do does did will can could would".split()
)
_PERFECT = frozenset("have has had having i've you've we've they've haven't hasn't hadn't he'd she'd".split())
_BE = frozenset("is are was were be been being am isn't aren't wasn't weren't i'm you're we're they're".split())
_DETERMINERS = frozenset(
    (
        "a an the my your his her its our their this that these those no some any every each another such what "
        "which many few several more most both all one two three whose"
    ).split()
)
_PREPOSITIONS = frozenset(
    "of in on at for with by from about into under without over between during as like after before".split()
)
_OBJECTS = frozenset(
    "a an the my your his her its our their this that these those it them him me us you all every some".split()
)
_ADVERBS = frozenset("ever never always just also already often not really only still even recently soon both".split())
_FUNCTION = frozenset(
    (
        "is are was were has have had will would can could may might must should do does did and or but in on at to "
        "for from with by that which who as than of if when while because so it he she they we you i not here there "
        "now today tomorrow yesterday again too then yet away up down out off over back"
    ).split()
)
_FINITE = frozenset("is are was were has had will would can could may might must should".split())
_PAST_TIME = frozenset("yesterday ago last already before once when then had was were did".split())
_ADJECTIVES = frozenset(
    (
        "new old big small good bad great first last next public high low long short fresh poor best worst strong main "
        "total large huge sharp steady whole own same other world school daily current early late"
    ).split()
)
_ADJECTIVE_ENDS = ("ous", "ful", "ive", "ical", "ional", "able", "less", "ish", "ary", "ese")


def choose(found: Sequence[Pronunciation], tokens: Sequence[str], place: int) -> tuple[str, ...]:
    """Phones of the reading that fits; found: (role, phones) in the lexicon's order, at least one."""
    words = [token.lower() for token in tokens[max(place - 5, 0) : place + 5]]
    at = min(place, 5)
    if mark := clue(words, at, tokens[place]):
        for _, phones in found:
            if (mark[1:] not in phones) if mark[0] == "!" else (mark in phones):
                return phones
    for role in _wanted(words, at, tokens):
        for given, phones in found:
            if given == role:
                return phones
    return found[0][1]


def _is_word(text: str) -> bool:
    return bool(text) and text not in MARKS


def _wanted(words: Sequence[str], at: int, tokens: Sequence[str]) -> tuple[str, ...]:
    """Parts of speech that fit place `at`, the likeliest first."""
    word = words[at]
    if word in ("a", "an", "the"):
        return ("DT",)
    before = words[at - 1] if at else ""
    after = words[at + 1] if at + 1 < len(words) else ""
    helper = _helper(words, at)
    if helper in _PERFECT:
        return ("VBN", "VBD", "NN", "JJ")
    if helper in _BE:
        return ("VBN", "VBD", "JJ", "NN")
    if helper in _MODALS:
        return ("VB",)
    if before in _SUBJECTS:
        past = _PAST_TIME.intersection(token.lower() for token in tokens)
        return ("VBD", "VB") if past else ("VB",)
    if before in _THIRD_PERSON:
        return ("VB", "VBD") if at > 1 and words[at - 2] in _HELPERS else ("VBD", "VB")
    if before in _DETERMINERS or before.endswith(("'s", "s'")):
        # Before another word a modifier fits better than a noun, when the word has such a reading.
        return ("JJ", "NN") if _is_word(after) and after not in _FUNCTION else ("NN", "JJ")
    if not _is_word(before) and after in _OBJECTS - {"that", "all"}:
        return ("VB",)
    if after == "of" or after in _FINITE:
        return ("NN", "JJ")
    if before in _ADJECTIVES or before.endswith(_ADJECTIVE_ENDS):
        return ("NN", "JJ")
    if before in _PREPOSITIONS:
        return ("NN", "JJ")
    if at > 1 and words[at - 2] in _DETERMINERS and not before.endswith("s"):
        return ("VB", "VBD") if after in _OBJECTS and not _looks_like_adjective(before) else ("NN", "JJ")
    if after == "against" and before.endswith("s"):
        return ("VB",)
    if after in _OBJECTS and _is_word(before) and before not in _FUNCTION:
        return ("VBD", "VB") if not before.endswith("s") else ("VB", "VBD")
    return ()


def _looks_like_adjective(word: str) -> bool:
    return word in _ADJECTIVES or word.endswith((*_ADJECTIVE_ENDS, "y", "er", "est", "ed"))


def _helper(words: Sequence[str], at: int) -> str:
    """The auxiliary a verb at `at` would belong to, adverbs and an inverted subject between passed over."""
    asked = False
    for place in range(at - 1, max(at - 5, -1), -1):
        word = words[place]
        if word in _PERFECT or word in _BE or word in _MODALS:
            if word == "not" and place and (words[place - 1] in _PERFECT | _BE):
                continue
            return "" if asked and word == "to" else word
        if word in _SUBJECTS or word in _THIRD_PERSON:
            asked = True
        elif not (word in _ADVERBS or word.endswith("ly")):
            return ""
    return ""
