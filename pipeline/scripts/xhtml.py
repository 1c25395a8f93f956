"""Paragraphs of an XHTML document. Python's parser knows no entities of its own making and loads nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

BREAKING = frozenset(
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 "
    "h4 h5 h6 header hr html li main nav ol p section summary ul".split()
)
HEADINGS = frozenset("h1 h2 h3 h4 h5 h6".split())
# Never words of the text; None: not worth a warning. Signs above Japanese (rt) say again what is below.
_SKIPPED = {
    "head": None, "script": None, "style": None, "template": None, "rt": None, "rp": None, "nav": None, "svg": None,
    "table": "a table", "pre": "a code block", "math": "a formula", "audio": "a sound", "video": "a film",
    "object": "an object", "iframe": "a frame", "select": "a form", "textarea": "a form",
}  # fmt: skip
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_NOTES = frozenset("footnote footnotes endnote endnotes rearnote rearnotes".split())
_SPACES = str.maketrans("\n\r\t\f", "    ")


@dataclass(frozen=True)
class Block:
    """Words of a paragraph; <br/> is a line end. `ids` are those of elements that begin at it or within it."""

    text: str
    heading: bool
    ids: tuple[str, ...]


@dataclass
class Document:
    """Blocks in order, what was left out, the name of an element that never ended, and why nothing could be read."""

    blocks: list[Block] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    unclosed: str = ""
    fault: str = ""


def read_fragment(source: str) -> Document:
    """The document in `source`. Never raises; an element that is left out and never ends is told in `unclosed`."""
    reader = _Reader()
    try:
        reader.feed(source)
        reader.close()
    except AssertionError as error:  # how Python's parser refuses `<![word[`
        return Document(fault=" ".join(str(error).split()) or "not HTML")
    return reader.finished()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._found = Document()
        self._counts: Counter[str] = Counter()
        self._text: list[str] = []
        self._ids: list[str] = []
        self._heading = False
        self._skip, self._depth = "", 0  # the element being left out, and how many of its name are open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        tag = tag.rpartition(":")[2]
        if self._skip:
            self._depth += tag == self._skip and tag not in _VOID
            return
        given = dict(attrs)
        if tag in BREAKING:
            self._end()
            self._heading = tag in HEADINGS
        if name := given.get("id"):
            self._ids.append(name)
        if tag == "br":
            self._text.append("\n")
        elif tag not in _VOID and (what := self._left_out(tag, given)) is not None:
            self._skip, self._depth = tag, 1
            if what:
                self._counts[what] += 1
        elif tag in ("td", "th"):  # of a table whose beginning is elsewhere
            self._text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        if self._skip:
            self._depth -= tag == self._skip
            if not self._depth:
                self._skip = ""
        elif tag in BREAKING:
            self._end()
            self._heading = False

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag.rpartition(":")[2] not in _VOID:
            self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        if not self._skip:
            self._text.append(data.translate(_SPACES))

    def unknown_decl(self, data: str) -> None:
        if data.startswith("CDATA["):
            self.handle_data(data[6:])

    def finished(self) -> Document:
        """All blocks; call once, at the end."""
        self._end()
        if self._ids:  # of what has no words: a place all the same
            self._found.blocks.append(Block("", False, tuple(self._ids)))
        counts = sorted(self._counts.items())
        self._found.left_out = [what if number == 1 else f"{what} ({number} times)" for what, number in counts]
        self._found.unclosed = self._skip
        return self._found

    def _left_out(self, tag: str, given: dict[str, str | None]) -> str | None:
        """None for an element that is read; else what it is, "" when that is not worth a warning."""
        if tag in _SKIPPED:
            return _SKIPPED[tag] or ""
        kinds = set((given.get("epub:type") or "").split()) | {(given.get("role") or "").removeprefix("doc-")}
        if "noteref" in kinds:
            return ""
        if kinds & _NOTES:
            return "a note"
        return "" if "hidden" in given or kinds & {"pagebreak"} else None

    def _end(self) -> None:
        text = "".join(self._text)
        self._text = []
        if text.strip():
            self._found.blocks.append(Block(text.strip(), self._heading, tuple(self._ids)))
            self._ids = []
