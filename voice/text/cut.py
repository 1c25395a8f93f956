"""Long texts cut by the published methods' names (specification 5.8); `voice.text.split` cuts better."""

from __future__ import annotations

import re
from collections.abc import Sequence

from voice.errors import UserError

SPLITS = frozenset("，。？！,.?!~:：—…")
CUT_METHODS = ("cut0", "cut1", "cut2", "cut3", "cut4", "cut5")
_EVERY_MARK = re.compile(r"(?<=[,.;?!、，。？！：…])(?<!(?<=[0-9])\.(?=[0-9]))")


def cut(text: str, method: str) -> str:
    """A text with its pieces on lines, as the published method of that name cuts it.

    cut0 not at all, cut1 by four marks, cut2 by 50 characters, cut3 at 。, cut4 at the English dot, cut5 at every
    mark. Quirks are kept, as 5 to 8 pieces left together and marks lost by cut3 and cut4.
    Raises UserError for another name.
    """
    if method not in CUT_METHODS:
        raise UserError(f"cutting method {method!r} is not known", f"use one of {', '.join(CUT_METHODS)}")
    text = text.strip("\n")
    if method == "cut0":
        return text if _has_word(text) else "\n"
    if method in ("cut1", "cut2"):
        pieces = _by_marks(text)
        if method == "cut1":
            edges = [*range(0, len(pieces), 4)][:-1] or [0]
            parts = ["".join(pieces[a:b]) for a, b in zip(edges, [*edges[1:], None], strict=True)]
            parts = parts if len(pieces) > 4 else [text]
        else:
            parts = _by_length(pieces, 50) if len(pieces) > 1 else [text]
    elif method == "cut3":
        parts = text.strip("。").split("。")
    elif method == "cut4":
        parts = re.split(r"(?<![0-9])\.|\.(?![0-9])", text.strip("."))
    else:
        parts = _EVERY_MARK.split(text)
    return "\n".join(part for part in parts if _has_word(part))


def split_big_text(text: str, limit: int = 510) -> list[str]:
    """A text cut at marks into pieces of at most `limit` characters; one without marks stays longer."""
    pieces = re.findall(rf"[^{''.join(SPLITS)}]*[{''.join(SPLITS)}]|[^{''.join(SPLITS)}]+$", text)
    groups: list[str] = []
    for piece in pieces:
        if groups and len(groups[-1]) + len(piece) <= limit:
            groups[-1] += piece
        else:
            groups.append(piece)
    return groups


def _has_word(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _by_marks(text: str) -> list[str]:
    """A text with a closing mark, cut after every mark; doubled ellipses and dashes count as 。 and ，."""
    text = text.replace("……", "。").replace("——", "，")
    text += "" if text[-1:] in SPLITS else "。"
    ends = [place + 1 for place, character in enumerate(text) if character in SPLITS]
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _by_length(pieces: Sequence[str], longest: int) -> list[str]:
    """Pieces joined until over `longest` characters; a shorter rest joins the group before it."""
    groups, current = [], ""
    for piece in pieces:
        current += piece
        if len(current) > longest:
            groups.append(current)
            current = ""
    groups += [current] if current else []
    if len(groups) > 1 and len(groups[-1]) < longest:
        groups[-2:] = ["".join(groups[-2:])]
    return groups
