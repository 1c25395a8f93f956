"""Clues for English words whose readings are different words: lead, live, wind, tear, bow, close and others.

Each rule is (phone that marks the reading, "!" before one it lacks, pattern). Patterns see up to five words on
either side, lower case, with the word itself as "_". The first pattern found decides; the last needs none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_BE = r"(?:is|are|was|were|be|been|being|am|i'm|it's|that's|you're|we're|they're|he's|she's|isn't|aren't|wasn't)"
_MODAL = (
    r"(?:to|will|would|can|could|shall|should|may|might|must|do|does|did|don't|doesn't|didn't|won't|can't|cannot|"
    r"couldn't|wouldn't|let's|please|i'll|you'll|we'll|they'll|he'll|she'll|not|never)"
)
_THEY = r"(?:i|you|we|they|who)"
_SHE = r"(?:he|she|it|who|that|which|everyone|someone|nobody)"
_DET = r"(?:a|an|the|my|your|his|her|its|our|their|this|that|these|those|no|some|any|every|each|another)"
_OBJECT = r"(?:the|a|an|my|your|his|her|its|our|their|this|that|it|them|him|me|us)"
_END = r"(?:$|[,.!?…-])"

_RULES: dict[str, list[tuple[str, str]]] = {
    "lead": [
        ("EH1", r"_ (?:pipes?|paints?|poisoning|pencils?|acid|shot|bullets?|weights?|glass|crystal|ore|mines?|roof)\b"),
        ("EH1", r"(?:made|full|traces|levels|amounts|kilograms|pounds|tons?) of _|\b(?:molten|like|of) _ " + _END),
        (
            "EH1",
            r"\b(?:mercury|zinc|copper|tin|iron),? (?:and|or) _|_,? (?:and|or) (?:mercury|zinc|copper|tin|arsenic)",
        ),
        ("EH1", r"_ is (?:a |an )?(?:\w+ )?(?:metal|element|toxic|poisonous|dense)\b"),
        ("IY1", ""),
    ],
    "leads": [("IY1", "")],
    "live": [
        (
            "AY1",
            r"_ (?:music|shows?|concerts?|audiences?|broadcasts?|streams?|streaming|events?|performances?|tv|"
            r"television|coverage|action|videos?|chats?|updates?|bands?|ammunition|wires?|animals?|bait|fish|demos?|recordings?|"
            r"albums?|sessions?|sports?|theater|theatre|data|feeds?|scores?|report|reports)\b",
        ),
        ("IH1", rf"\b(?:{_MODAL}|{_THEY}) _|\b(?:where|people|families|children|men|women|{_THEY} \w+ly|also|still) _"),
        ("AY1", rf"\b(?:{_BE}|go|goes|going|went|gone|broadcast|streamed|perform\w*|play\w*|recorded) _|\b{_DET} _"),
        ("AY1", rf"\b(?:watch|saw|see|hear|heard|sing|sang|reporting) (?:\w+ )?_ {_END}"),
        ("IH1", ""),
    ],
    "lives": [
        ("IH1", rf"\b{_SHE} (?:\w+ly |still |now |also )?_|_ (?:in|at|alone|here|there|with|near|next|by|off|on)\b"),
        ("AY1", ""),
    ],
    "wind": [
        ("IH1", rf"\b(?:{_DET}|of|and|with|in|north|south|east|west|cold|strong|high|solar) (?:\w+ )?_ (?!the|it|up)"),
        ("AY1", rf"\b(?:{_MODAL}|{_THEY}) _|(?:^|[,.!?…-]) ?_ {_OBJECT}\b|_ (?:up|down) "),
        ("IH1", ""),
    ],
    "winds": [("AY1", r"\b(?:it|river|road|path|trail|stream|lane|he|she|that|which) _"), ("IH1", "")],
    "tear": [
        ("EH1", rf"\b(?:{_MODAL}|{_THEY}|and) _|(?:^|[,.!?…-]) ?_ (?:{_OBJECT}|up|down|off|open)\b|wear and _"),
        ("EH1", r"_ in (?:the|my|his|her|your|their) (?:fabric|cloth|paper|page|shirt|jeans|dress|curtain|sail|bag)"),
        ("IH1", ""),
    ],
    "tears": [("EH1", rf"\b(?:{_SHE}|never|always) _|_ (?:up|apart|it|them|him|her|through|off|open)\b"), ("IH1", "")],
    "tearing": [("EH1", "")],
    "bow": [
        ("OW1", r"_ (?:and arrows?|ties?|strings?)\b"),
        ("AW1", rf"\b(?:{_MODAL}|{_THEY}) _|\b(?:took|take|takes|taking|made|make|with|low|deep|final) (?:a |one )?_"),
        (
            "AW1",
            r"_ (?:to|down|before|out)\b|_ of (?:the|a|his|her|our|their) (?:ship|boat|vessel|yacht|canoe)|ship's _",
        ),
        ("OW1", ""),
    ],
    "bows": [("AW1", rf"\b{_SHE} _|_ (?:to|down|before|out)\b|took (?:their|several|two) _"), ("OW1", "")],
    "bowed": [("OW1", r"_ (?:legs?|strings?|instruments?)\b"), ("AW1", "")],
    "bowing": [("AW1", "")],
    "row": [
        ("AW1", r"\b(?:had a|have a|having a|blazing|furious|bitter|a huge) _|_ (?:broke out|erupted|with|about)\b"),
        ("OW1", ""),
    ],
    "rows": [("OW1", "")],
    "sow": [("AW1", r"\b(?:a|the|an old|pregnant|fat) _"), ("OW1", "")],
    "close": [
        ("S", r"\b(?:too|so|very|quite|pretty|really|how|as|stay|keep|come|came|stand|stood|get|got|drew) _"),
        ("Z", rf"\b{_MODAL} _|\b{_THEY} _ (?!to\b)|\b{_DET} _ (?:of\b|{_END})|_ (?:{_OBJECT}) |_ (?:down|off)\b"),
        ("S", ""),
    ],
    "used": [
        ("S", r"\b(?:am|i'm|you're|we're|they're|get|gets|got|getting|become|became|not) _ to\b"),
        ("Z", rf"\b{_BE} (?:\w+ly |also |often )?_ to\b"),
        ("S", r"_ to\b"),
        ("Z", ""),
    ],
    "use": [
        ("S", rf"\b(?:{_DET}|of|in|for|by|from|with|make|made|makes|making|daily|heavy|common|little|much) _"),
        ("S", r"_ (?:of|cases?|is|was)\b"),
        ("Z", rf"\b(?:{_MODAL}|{_THEY}|people|and|or|also|often) _|_ {_OBJECT}\b"),
        ("S", "_ " + _END),
        ("Z", ""),
    ],
    "uses": [("S", rf"\b(?:{_DET}|many|several|few|other|two|three|of|common) _|_ (?:of|for|include)\b"), ("Z", "")],
    "minute": [
        (
            "UW1",
            r"_ (?:details?|amounts?|quantit\w+|particles?|differences?|traces?|fractions?|changes?|variations?)\b",
        ),
        ("UW1", r"\b(?:so|very|extremely|almost|rather|quite|too) _"),
        ("IH1", ""),
    ],
    "content": [
        ("AH0", r"_ (?:with|to)\b"),
        (
            "AH0",
            rf"\b(?:{_BE}|feel|felt|feels|seem|seems|seemed|look|looked|not|very|quite|perfectly|more|less) _ {_END}",
        ),
        ("AH0", rf"\b(?:{_BE}|feel|felt|seem|seemed) (?:\w+ly |very |quite )_"),
        ("AA1", ""),
    ],
    "wound": [
        ("AW1", r"_ (?:up|around|round|down|through|its|tightly|back|along|between|across|onto|about)\b"),
        ("UW1", ""),
    ],
    "dove": [
        ("OW1", rf"\b(?:{_SHE}|{_THEY}) _|_ (?:into|under|down|off|in|head\w*|straight|right|deep)\b"),
        ("AH1", ""),
    ],
    "bass": [
        ("AE1", r"(?:fish\w*|caught|catch|lake|river|sea|striped|largemouth|grilled|trout|pond|boat) (?:.* )?_"),
        ("AE1", r"_ (?:.* )?(?:fish\w*|caught|lake|river|trout|pond|fillets?)"),
        ("EY1", ""),
    ],
    "invalid": [("AE1", rf"_ \w|\b(?:{_BE}|as) _"), ("IH1", r"\b(?:an|the) _"), ("AE1", "")],
    "aged": [("IH0", rf"\b(?:{_DET}) _ [a-z]"), ("EY1", "")],
    "upset": [("AH1", rf"\b(?:an?|the|big|major) _ {_END}|\b(?:stomach|electoral) _"), ("EH1", "")],
    "present": [
        ("EH1", rf"\b(?:{_BE}|at|the|at the) _ (?!the|a |an )"),
        ("EH1", r"_ (?:day|time|tense|moment|case)\b"),
    ],
    "perfect": [("ER1", rf"\b(?:{_BE}|so|very|just|a|the|not) _"), ("ER0", rf"\b{_MODAL} _"), ("ER1", "")],
    "complex": [("AA1", rf"\b(?:\w+) _ {_END}|_ \w"), ("AA1", "")],
    "learned": [("IH0", r"_ (?:man|men|woman|scholars?|professor|friend|society|judges?|counsel)\b"), ("!IH0", "")],
    "marked": [("!IH0", "")],
    "irony": [("!ER0", "")],
    "arsenic": [("!EH1", "")],
    "wicked": [("IH0", "")],
    "blessed": [("IH0", rf"\b{_DET} _ [a-z]"), ("T", "")],
    "crooked": [("IH0", "")],
    "ragged": [("IH0", "")],
    "buffet": [
        ("EY0", r"\b(?:the|a|breakfast|lunch|dinner|free|an?) _|_ (?:table|dinner|lunch|breakfast)"),
        ("EY0", ""),
    ],
    "prayer": [("EH1", "")],
    "moderate": [
        ("IH0", rf"\b(?:{_DET}|{_BE}|of|with|in|at|very) _|_ (?:to|temperature|exercise|amount)"),
        ("EY2", rf"\b{_MODAL} _"),
    ],
    "deliberate": [("EY2", rf"\b(?:{_MODAL}|{_THEY}) _"), ("IH0", "")],
    "frequent": [("EH1", rf"\b(?:{_MODAL}|{_THEY}|who) _"), ("IY1", "")],
}


@lru_cache(maxsize=1)
def _compiled() -> dict[str, list[tuple[str, re.Pattern[str] | None]]]:
    return {
        word: [(phone, re.compile(pattern) if pattern else None) for phone, pattern in rules]
        for word, rules in _RULES.items()
    }


def clue(words: Sequence[str], at: int, written: str) -> str:
    """Phone that marks the reading meant at place `at` (lower-case words around), or "" when nothing tells."""
    word = words[at]
    if word in ("polish", "celtic", "xi"):
        return _by_capital(word, words, at, written)
    rules = _compiled().get(word)
    if not rules:
        return ""
    around = " ".join([*words[:at], "_", *words[at + 1 :], ""])
    return next((phone for phone, pattern in rules if pattern is None or pattern.search(around)), "")


def _by_capital(word: str, words: Sequence[str], at: int, written: str) -> str:
    """Names that differ from common words by their capital, which says nothing at the start of a sentence."""
    capital = written[0].isupper()
    if word == "xi":
        return "SH" if capital else "Z"
    if word == "celtic":
        return "K"
    starts = at == 0 or words[at - 1] in ".!?…"
    orders = at + 1 < len(words) and re.fullmatch(_OBJECT, words[at + 1])
    return "OW1" if capital and not (starts and orders) else "AA1"
