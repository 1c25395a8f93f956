"""HTML in text that is read as it stands: its tags would be spoken. Comparison signs (a < b, x<y and z>w) are none."""

from __future__ import annotations

import re

from voice.errors import UserError

# Attributes have "=": `<b and c>` is mathematics. Parts are bounded, so that no line takes long.
TAG = re.compile(
    r"<!--|<!doctype\b|</[a-z][a-z0-9:-]{0,40}\s{0,9}>"
    r"|<[a-z][a-z0-9:-]{0,40}(?:\s[^<>=]{0,200}=[^<>]{0,2000})?\s{0,9}/?>",
    re.IGNORECASE,
)
_SIGN = re.compile(r"&(?:nbsp|amp|lt|gt|quot|apos|shy|mdash|ndash|hellip|[lr][sd]quo|#\d{1,7}|#x[0-9a-f]{1,6});", re.I)


def refuse_html(text: str, where: str) -> None:
    """Raise UserError, its message beginning with `where`, for a tag or a coded sign of HTML."""
    if "<" in text:
        for tag in TAG.finditer(text):
            if not _compares(text, tag):
                hint = "save it as .md or take the tags out; a sign of comparison stands between spaces"
                raise UserError(f"{where}: HTML {tag[0][:40]} would be read aloud", hint)
    if "&" in text and (found := _SIGN.search(text)):
        raise UserError(f"{where}: HTML {found[0]} would be read aloud", "write the sign itself")


def _compares(text: str, found: re.Match[str]) -> bool:
    """a<b>c: one letter between letters or digits."""
    glued = text[found.start() - 1 : found.start()].isalnum() and text[found.end() : found.end() + 1].isalnum()
    return glued and len(found[0]) == 3
