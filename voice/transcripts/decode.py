"""Bytes to text: UTF-8, or UTF-16/32 that says so by its mark. Anything else is refused, with a guess of what it is."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from charset_normalizer import from_bytes

from voice.errors import UserError

# The longer marks first: that of UTF-32-LE begins with that of UTF-16-LE.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What transcripts of these languages are otherwise saved in, with the name `iconv` has for it.
_OTHERS = {
    "gb18030": "GBK",
    "big5": "BIG5",
    "shift_jis": "SHIFT_JIS",
    "euc_jp": "EUC-JP",
    "euc_kr": "CP949",
    "cp1252": "CP1252",
    "latin_1": "LATIN1",
}
_LINE_END = re.compile(r"\r\n|\r|\n")


def read_text(path: Path) -> str:
    """The text of a file, its mark removed. Raises UserError (file, line, byte) when it is not Unicode text."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}", "check the file") from error
    return decode(data, str(path))


def decode(data: bytes, name: str) -> str:
    """`data` as text; `name` stands in the message of the UserError it raises."""
    mark, codec = next(((m, c) for m, c in _MARKS if data.startswith(m)), (b"", "utf-8"))
    try:
        text = data[len(mark) :].decode(codec)
    except UnicodeDecodeError as error:
        at = len(mark) + error.start
        raise _refused(data, at, name, codec) from error
    if "\0" in text:
        at = data.index(0)
        hint = "if it was saved as UTF-16 or UTF-32, save it as UTF-8"
        raise UserError(f"{name}: line {_line(data, at)}: a zero byte at byte {at}, so not UTF-8 text", hint)
    return text


def lines_of(text: str) -> list[str]:
    """The lines of `text`, ended by CR, LF or both only: a row of JSON may hold every other separator."""
    lines = _LINE_END.split(text)
    return lines[:-1] if not lines[-1] else lines


def _line(data: bytes, at: int) -> int:
    return len(_LINE_END.findall(data[:at].decode("latin-1"))) + 1


def _refused(data: bytes, at: int, name: str, codec: str) -> UserError:
    where = (
        f"{name}: line {_line(data, at)}: not {codec.upper()} at byte {at} (0x{data[at] if at < len(data) else 0:02X})"
    )
    if codec != "utf-8":
        return UserError(where, "the file is damaged or cut short; save it as UTF-8")
    best = from_bytes(data, cp_isolation=list(_OTHERS)).best()
    guess = _OTHERS.get(best.encoding) if best else None
    if guess is None:
        return UserError(where, "save it as UTF-8")
    return UserError(
        f"{where}, perhaps {guess}", f"if it is: iconv -f {guess} -t UTF-8 FILE > NEW; else save it as UTF-8"
    )
