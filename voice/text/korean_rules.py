"""Standard pronunciation of Korean spelling, by the rule functions and tables of g2pk2.

g2pk2's own class is not used: its package fetches a corpus at import, for English words that are spelled
by letter names here. Its modules are loaded without that, and its table of final and initial consonants
runs with one fault removed.
"""

from __future__ import annotations

import re
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from voice.errors import UserError

_LOCK = threading.Lock()
_MODULES = ("utils", "special", "regular")
_SPECIAL = (
    "jyeo ye consonant_ui josa_ui vowel_ui jamo rieulgiyeok rieulbieub verb_nieun balb palatalize modifying_rieul"
).split()
_LINKS = "link1 link2 link3 link4".split()
_TAGS = re.compile("/[PJEB]")
# An object particle keeps its ㄹ apart from the ㄴ of the next word; the table would turn that into ㄹ.
_OBJECT = re.compile("([\u110b\u1105]\u1173\u11af) (?=\u1102)")
_APART = " \u2060"


@dataclass(frozen=True)
class _Rules:
    """What is used of g2pk2, loaded once."""

    tagger: Any
    annotate: Callable[[str, Any], str]
    decompose: Callable[[str], str]
    compose: Callable[[str], str]
    special: tuple[Callable[[str], str], ...]
    table: tuple[tuple[re.Pattern[str], str], ...]
    links: tuple[Callable[[str], str], ...]
    idioms: tuple[tuple[str, str], ...]


def tags(text: str) -> list[tuple[str, str]]:
    """Pieces of a text with their parts of speech, by MeCab."""
    with _LOCK:
        return [(str(piece), str(tag)) for piece, tag in _rules().tagger.pos(text)]


def pronounce(text: str) -> str:
    """Hangul as it is said, spelled in Hangul: 밥을 먹고 -> 바블 먹꼬. Spaces and marks stay."""
    with _LOCK:
        rules = _rules()
        for written, said in rules.idioms:
            text = text.replace(written, said)
        text = rules.annotate(text, rules.tagger)
    letters = rules.decompose(text)
    for rule in rules.special:
        letters = rule(letters)
    letters = _OBJECT.sub(rf"\1{_APART}", _TAGS.sub("", letters))
    for pair, said in rules.table:
        letters = pair.sub(said, letters)
    letters = letters.replace(_APART, " ")
    for link in rules.links:
        letters = link(letters)
    return rules.compose(letters)


@cache
def _rules() -> _Rules:
    try:
        folder, modules = _load_modules()
        tagger = import_module("mecab").MeCab()
        decompose = import_module("jamo").h2j
    except ImportError as error:
        hint = "pip install 'reprovoice[ko]'"
        raise UserError("Korean needs the packages g2pk2 and python-mecab-ko, which are not installed", hint) from error
    utils, special, regular = modules
    return _Rules(
        tagger=tagger,
        annotate=utils.annotate,
        decompose=decompose,
        compose=utils.compose,
        special=tuple(getattr(special, name) for name in _SPECIAL),
        table=tuple((re.compile(pair), said) for pair, said, _ in utils.parse_table()),
        links=tuple(getattr(regular, name) for name in _LINKS),
        idioms=_idioms(folder / "idioms.txt"),
    )


def _load_modules() -> tuple[Path, list[ModuleType]]:
    """Folder and modules of g2pk2, whose package is kept from running: that is where it would download."""
    spec = find_spec("g2pk2")
    if spec is None or spec.origin is None:
        raise ImportError("g2pk2")
    known = sys.modules.get("g2pk2")
    sys.modules["g2pk2"] = known or module_from_spec(spec)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its patterns hold escapes that Python warns of when it compiles them
            modules = [import_module(f"g2pk2.{name}") for name in _MODULES]
    finally:
        # Who imports the package later gets it whole.
        if known is None:
            del sys.modules["g2pk2"]
    return Path(spec.origin).parent, modules


def _idioms(path: Path) -> tuple[tuple[str, str], ...]:
    """Words with a pronunciation of their own; those with digits or Latin letters are read elsewhere."""
    pairs = (line.partition("#")[0].strip().split("===") for line in path.read_text(encoding="utf-8").splitlines())
    return tuple((pair[0], pair[1]) for pair in pairs if len(pair) == 2 and re.fullmatch("[가-힣]+", pair[0]))
