"""Which language each part of a line is in: by script, by marks in the text, and numbers by their neighbours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from voice.text.markup import SWITCH, SWITCHES
from voice.text.overrides import HAN, SIGN, Override, Signs

LANGUAGES = ("zh", "en", "ja", "ko", "yue", "auto")
NATIVE = ("zh", "ja", "ko", "yue")
_LATIN = r"A-Za-zÀ-ÖØ-öø-ʯḀ-ỿ"
_UNIT = "km/h|m/s|k?m²|cm²|m³|[kcmµ]?m|[km]?g|m[lL]|L|[kMG]?Hz|dB|db|ms|min|s|h|kWh|k?W|k?V|[℃℉%‰]|°[CF]"
_PIECE = re.compile(
    rf"(?P<switch>{SWITCH})|(?P<sign>{SIGN})"
    r"|(?P<han>[㐀-鿿\uf900-\ufaff〇々〆\U00020000-\U000323af]+)"
    r"|(?P<kana>[ぁ-ゖゝ-ゟァ-ヺー-ヿㇰ-ㇿ]+)"
    r"|(?P<hangul>[가-힣ㄱ-ㆎᄀ-ᇿ]+)"
    rf"|(?P<latin>[{_LATIN}]+(?:['.&-][{_LATIN}]+)*(?:'|\.(?=[{_LATIN}\s]|$))?)"
    rf"|(?P<number>[^\w\s!?…,.\U000f0000-\U0010ffff]{{0,4}}\d(?:[\d.,:/~\-×÷+=]*\d)?(?:\s?(?:{_UNIT})(?![{_LATIN}\d]))?)"
    r"|(?P<mark>[!?…,.]+)|(?P<space>\s+)|(?P<other>.)",
    re.DOTALL,
)
_CHINESE_MARKS = re.compile("[。，、！？；：]")
# Characters that a Japanese code page has and Japanese hardly writes.
_HARDLY_JAPANESE = frozenset("吃很這哪個們嗎甚麼妳她您啥咱跟把給讓")
_CODE = re.compile("[A-Z]{1,3}")


@dataclass
class _Piece:
    """A part of a line: what it is made of, its mode ("auto" or a language the text or the caller asked for)."""

    kind: str
    text: str
    mode: str
    lang: str = ""
    border: bool = False  # the mode changes before it
    override: Override | None = None


@dataclass(frozen=True)
class Run:
    """Neighbouring parts in one language; lang is empty for the words read in place of one, `override`."""

    lang: str
    text: str
    mode: str
    override: Override | None = None


def runs(text: str, lang: str, signs: Signs, raw: str) -> list[Run]:
    """Runs of a cleaned text with signs. lang: one of LANGUAGES; raw: the text before cleaning."""
    pieces = list(_pieces(text, lang, signs))
    for sentence in _groups(pieces, ".!?…"):
        _by_script(sentence)
    _numbers(pieces, "zh" if _CHINESE_MARKS.search(raw) else "en")
    return _joined(pieces, lang)


def default_lang(mode: str, otherwise: str) -> str:
    """Language of what nothing else settles."""
    return otherwise if mode == "auto" else mode


def _pieces(text: str, lang: str, signs: Signs) -> Iterator[_Piece]:
    mode, border = lang, False
    for match in _PIECE.finditer(text):
        kind, part = match.lastgroup or "other", match[0]
        if kind == "switch":
            mode, border = SWITCHES[part], True
            mode = lang if mode == "auto" else mode
            continue
        piece = _Piece(kind, part, mode, border=border)
        border = False
        if kind == "sign":
            yield from _override(piece, signs.by_sign[part])
        elif kind == "han" and (override := _in_place(match, signs)):
            size = len(part) - len(override.word)
            if size:
                yield replace(piece, text=part[:size])
            yield replace(piece, text=part[size:], lang="zh", border=piece.border and not size)
        else:
            yield piece


def _in_place(match: re.Match[str], signs: Signs) -> Override | None:
    """The override whose sign stands behind a run of characters."""
    override = signs.by_sign.get(match.string[match.end() : match.end() + 1])
    return override if override and override.in_place and match[0].endswith(override.word) else None


def _override(piece: _Piece, override: Override) -> Iterator[_Piece]:
    if override.in_place:
        yield replace(piece, kind="other", lang="zh")
    elif override.lang == "en":
        yield replace(piece, kind="latin", lang="en", override=override)
    else:
        chinese = override.lang == "zh" or re.search(HAN, override.respelling)
        yield replace(piece, kind="words", lang="zh" if chinese else "en", override=override)


def _groups(pieces: Iterable[_Piece], ends: str) -> Iterator[list[_Piece]]:
    """Pieces between marks of `ends`, each group with the mark that ends it."""
    group: list[_Piece] = []
    for piece in pieces:
        if piece.border and group:
            yield group
            group = []
        group.append(piece)
        if piece.kind == "mark" and any(mark in ends for mark in piece.text):
            yield group
            group = []
    if group:
        yield group


def _by_script(sentence: list[_Piece]) -> None:
    """Languages of everything but numbers; a sentence has one mode."""
    kana = any(piece.kind == "kana" for piece in sentence)
    chinese = any(piece.kind == "han" and _hardly_japanese(piece.text) for piece in sentence) if kana else True
    for piece, after in zip(sentence, [*sentence[1:], None], strict=True):
        if piece.lang:
            continue
        if piece.kind == "latin":
            piece.lang = "en"
        elif piece.kind in ("kana", "hangul"):
            piece.lang = "ja" if piece.kind == "kana" else "ko"
        elif piece.kind == "han" and piece.mode in ("ja", "yue"):
            piece.lang = piece.mode
        elif piece.kind == "han":
            japanese = kana and piece.mode in ("auto", "ko") and not _hardly_japanese(piece.text)
            # In a Chinese sentence only a short stem with its hiragana (好き) is Japanese.
            stem = len(piece.text) <= 2 and after is not None and bool(re.match("[ぁ-ゖ]", after.text))
            piece.lang = "ja" if japanese and (not chinese or stem) else "zh"


def _hardly_japanese(characters: str) -> bool:
    """Whether some character is not written in Japanese, as simplified ones are not."""
    try:
        characters.encode("euc_jp")
    except UnicodeEncodeError:
        return True
    return not _HARDLY_JAPANESE.isdisjoint(characters)


def _numbers(pieces: list[_Piece], otherwise: str) -> None:
    """Languages of numbers: of their phrase, else of the phrase before, else of the one after."""
    phrases = list(_groups(pieces, "!?…,."))
    follows = [""] * len(phrases)
    coming = ""
    for place in range(len(phrases) - 1, -1, -1):
        follows[place] = coming
        coming = next((piece.lang for piece in phrases[place] if piece.lang), coming)
        coming = "" if phrases[place][0].border else coming
    last = ""
    for phrase, after in zip(phrases, follows, strict=True):
        last = "" if phrase[0].border else last
        if any(piece.kind == "number" for piece in phrase):
            first = phrase[0]
            _phrase_numbers(phrase, last or after or default_lang(first.mode, otherwise))
        last = next((piece.lang for piece in reversed(phrase) if piece.lang), last)


def _phrase_numbers(phrase: list[_Piece], otherwise: str) -> None:
    native = next((piece.lang for piece in phrase if piece.lang in NATIVE), "")
    written = [piece.lang for piece in phrase]
    nearest = [*written]
    for place in range(len(phrase) - 2, -1, -1):
        nearest[place] = nearest[place] or nearest[place + 1]
    previous = previous_native = ""
    for place, piece in enumerate(phrase):
        if piece.kind == "number":
            left = phrase[place - 1] if place else None
            right = phrase[place + 1] if place + 1 < len(phrase) else None
            beside = [item for item in (left, right) if item and item.kind != "number" and item.lang]
            touching = next((item.lang for item in beside if item.lang in NATIVE), "")
            if not touching and native and _spoken_natively(left, right):
                touching = previous_native or native
            piece.lang = touching or next((item.lang for item in beside), "") or previous or nearest[place] or otherwise
            if piece.lang in NATIVE and left and left.kind == "latin" and piece.text.startswith("-"):
                piece.text = piece.text[1:]  # CCTV-1 is no subtraction
        previous = written[place] or previous
        previous_native = written[place] if written[place] in NATIVE else previous_native


def _spoken_natively(left: _Piece | None, right: _Piece | None) -> bool:
    """Whether a number glued to Latin letters is said in the other language of its phrase: 5G, A4, Q3, not iPhone15."""
    before = right is not None and right.kind == "latin"
    if left is not None and left.kind == "latin":
        return bool(_CODE.fullmatch(left.text)) and not before
    return before


def _joined(pieces: list[_Piece], lang: str) -> list[Run]:
    """Runs of equal language; signs and spaces go with what stands before them."""
    current = next((piece.lang for piece in pieces if piece.lang), default_lang(lang, "en"))
    found: list[Run] = []
    parts: list[str] = []
    mode = lang
    for piece in pieces:
        if piece.kind == "words" and piece.override:
            if parts:
                found.append(Run(current, "".join(parts), mode))
            found.append(Run("", piece.text, piece.mode, piece.override))
            parts = []
            current = piece.lang or current
            continue
        new = piece.lang or current
        if parts and new != current:
            found.append(Run(current, "".join(parts), mode))
            parts = []
        if not parts or piece.lang:
            mode = piece.mode
        current = new
        parts.append(piece.text)
    if parts:
        found.append(Run(current, "".join(parts), mode))
    return found
