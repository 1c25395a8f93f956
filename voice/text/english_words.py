"""English words the lexicon lacks or has wrong, and which of its readings are too rare to be meant."""

from __future__ import annotations

from functools import lru_cache

from voice.text.lexicon import Pronunciation, pronunciations

# Newer words, short forms, and names of signs; "refuse" and "ubuntu" correct the lexicon.
_WORDS = {
    "ae": "EY1 IY1", "ai": "EY1 AY1", "ar": "EY1 AA1 R", "ios": "AY1 OW2 EH1 S", "os": "OW1 EH1 S", "tv": "T IY1 V IY1",
    "tvs": "T IY1 V IY1 Z", "phd": "P IY1 EY1 CH D IY1", "json": "JH EY1 S AH0 N", "jpeg": "JH EY1 P EH2 G",
    "gif": "G IH1 F", "covid": "K OW1 V IH0 D", "chatgpt": "CH AE1 T JH IY2 P IY2 T IY1",
    "openai": "OW1 P AH0 N EY2 AY1", "conda": "K AA1 N D AH0", "numpy": "N AH1 M P AY2", "pytorch": "P AY1 T AO2 R CH",
    "nginx": "EH1 N JH IH0 N EH2 K S", "kubernetes": "K UW2 B ER0 N EH1 T IY2 Z", "ubuntu": "UW0 B UH1 N T UW0",
    "readme": "R IY1 D M IY2", "emoji": "IH0 M OW1 JH IY0", "wi-fi": "W AY1 F AY2", "sci-fi": "S AY1 F AY2",
    "hi-fi": "HH AY1 F AY2", "e-mail": "IY0 M EY1 L", "e-mails": "IY0 M EY1 L Z", "x-ray": "EH1 K S R EY2",
    "x-rays": "EH1 K S R EY2 Z", "co-op": "K OW1 AA2 P", "gigahertz": "G IH1 G AH0 HH ER2 T S",
    "terahertz": "T EH1 R AH0 HH ER2 T S", "megabit": "M EH1 G AH0 B IH2 T", "megabits": "M EH1 G AH0 B IH2 T S",
    "gigabit": "G IH1 G AH0 B IH2 T", "gigabits": "G IH1 G AH0 B IH2 T S", "milliamp": "M IH1 L IY0 AE2 M P",
    "litre": "L IY1 T ER0", "litres": "L IY1 T ER0 Z", "miz": "M IH1 Z", "caret": "K EH1 R AH0 T",
    "beyonce": "B IY0 AA1 N S EY0", "zelensky": "Z AH0 L EH1 N S K IY0", "omicron": "AA1 M IH0 K R AA2 N",
    "'em": "AH0 M", "'tis": "T IH1 Z", "'twas": "T W AH1 Z", "'n'": "AH0 N", "'cause": "K AH0 Z", "'til": "T IH1 L",
    "'bout": "B AW1 T", "'cos": "K AH0 Z", "'round": "R AW1 N D", "gonna": "G AH1 N AH0", "lol": "L AA1 L",
    "kilometer": "K AH0 L AA1 M AH0 T ER0", "kilometers": "K AH0 L AA1 M AH0 T ER0 Z",
    "doin'": "D UW1 IH0 N", "goin'": "G OW1 IH0 N", "com": "K AA1 M", "gov": "G AH1 V", "org": "AO1 R G",
}  # fmt: skip
# Accents that choose between two words written alike without them.
ACCENTED = {
    "résumé": "R EH1 Z AH0 M EY2", "résumés": "R EH1 Z AH0 M EY2 Z", "exposé": "EH2 K S P OW0 Z EY1",
    "rosé": "R OW0 Z EY1", "pâté": "P AA0 T EY1", "lamé": "L AA0 M EY1", "saké": "S AA1 K IY0", "maté": "M AA1 T EY0",
}  # fmt: skip
_READINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "refuse": (("VB", "R IH0 F Y UW1 Z"), ("NN", "R EH1 F Y UW2 S")),
    "houses": (("", "HH AW1 Z IH0 Z"),),
    "resume": (("VB", "R IH0 Z UW1 M"), ("NN", "R EH1 Z AH0 M EY2")),
    "intimate": (("JJ", "IH1 N T IH0 M IH0 T"), ("VB", "IH1 N T IH0 M EY2 T")),
    "wounds": (("NN", "W UW1 N D Z"),),
    "reread": (("VB", "R IY2 R IY1 D"), ("VBD", "R IY2 R EH1 D")),
    "misread": (("VB", "M IH0 S R IY1 D"), ("VBD", "M IH0 S R EH1 D")),
    "contract": (("NN", "K AA1 N T R AE2 K T"), ("VB", "K AH0 N T R AE1 K T")),
    "august": (("NN", "AO1 G AH0 S T"),),
}
# Readings of the lexicon by the phone that marks them: foreign, dated or plainly another word.
_RARE = {
    "nice": "IY1", "do": "OW1", "does": "OW1", "won": "AA1", "job": "OW1", "number": "M ER0", "real": "EY1",
    "thou": "TH", "sake": "AA1", "sakes": "AA1", "coax": "AE2", "coaxes": "AE0", "taxes": "S IY0",
    "taxis": "S IH0", "tier": "AY1", "tiers": "AY1", "shower": "OW1", "showers": "OW1", "tales": "L IY0",
    "re": "EY1", "were": "EH1", "pussy": "AH1", "bustier": "EY0", "supply": "AH1", "apply": "AE1", "closer": "Z",
    "closers": "Z", "ralph": "F EY1", "consist": "AA1", "number's": "M ER0", "de": "IY1", "chi": "AY1",
    "comber": "AA1", "sewer": "OW1", "sewers": "OW1", "drawer": "ER0", "drawers": "ER0", "tarry": "AA1",
    "stingy": "NG", "putting": "AH1", "windy": "AY1", "rugged": "G D", "axes": "S IY0", "bases": "S IY0",
    "ellipses": "S IY0", "skied": "AY1", "recreation": "R IY2", "recount": "R IY2", "effect": "IY1",
    "affect": "AE1", "winder": "IH1", "coop": "AA0", "coops": "AA0", "vale": "EY0", "i'm": "AH0 M",
}  # fmt: skip


def _rows(table: tuple[tuple[str, str], ...]) -> tuple[Pronunciation, ...]:
    return tuple((role, tuple(phones.split())) for role, phones in table)


@lru_cache(maxsize=65536)
def known(word: str) -> tuple[Pronunciation, ...]:
    """(role, phones) of a lower-case word, the usual one first; empty when nothing knows it."""
    if word in _WORDS:
        return (("", tuple(_WORDS[word].split())),)
    if word in _READINGS:
        return _rows(_READINGS[word])
    found = pronunciations(word)
    if rare := _RARE.get(word):
        return tuple(row for row in found if f" {rare} " not in f" {' '.join(row[1])} ") or found
    return found
