"""Which reading of an English word written one way and said in several: a few rules on its neighbours.

The lexicon marks readings by part of speech (VB verb, VBD past, NN noun, JJ adjective). Nothing is
parsed; the words just before decide, and without a clue the lexicon's first reading stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from voice.text.lexicon import Pronunciation

_BEFORE_VERB = frozenset(
    (
        "to will would can could shall should may might must do does did don't doesn't didn't won't can't "
        "cannot couldn't wouldn't shouldn't let's please i you we they who never always often i'll you'll "
        "we'll they'll"
    ).split()
)
_THIRD_PERSON = frozenset("he she it".split())
_PERFECT = frozenset("have has had having been was were is are be being i've you've we've they've he'd she'd".split())
_DETERMINERS = frozenset(
    "a an the my your his her its our their this that these those no some any every each another of".split()
)
_BE = frozenset("is are was were be been being am very so too quite".split())
_PAST_TIME = frozenset("yesterday ago last already before once when then had was were did".split())


def choose(found: Sequence[Pronunciation], tokens: Sequence[str], place: int) -> tuple[str, ...]:
    """Phones of the reading that fits; found: (role, phones) in the lexicon's order, at least one."""
    for role in _wanted(tokens, place):
        for given, phones in found:
            if given == role:
                return phones
    return found[0][1]


def _wanted(tokens: Sequence[str], place: int) -> tuple[str, ...]:
    words = [token.lower() for token in tokens]
    before = words[place - 1] if place else ""
    after = words[place + 1] if place + 1 < len(words) else ""
    if words[place] in ("a", "an", "the"):
        return ("DT",)
    if before in _PERFECT and before not in _BE:
        return ("VBN", "VBD")
    if before in _BEFORE_VERB:
        past = before in ("i", "you", "we", "they", "who") and _PAST_TIME.intersection(words)
        return ("VBD", "VB") if past else ("VB",)
    if before in _THIRD_PERSON:
        return ("VBD", "VB")
    if before in _DETERMINERS or before.endswith("'s"):
        # Before another word a modifier fits better than a noun, when the word has such a reading.
        return ("JJ", "NN") if re.match("[a-z]", after) and after not in _DETERMINERS else ("NN", "JJ")
    if before in _BE:
        return ("VBN", "VBD", "JJ")
    if not re.match("[a-z]", before) and after in _DETERMINERS - {"of"}:
        return ("VB",)
    if words[max(place - 2, 0) : place] and words[max(place - 2, 0)] in _DETERMINERS:
        return ("NN", "JJ")
    return ()
