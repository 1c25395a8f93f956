"""Markdown (CommonMark with tables and ~~strikes~~): headings are chapters, paragraphs are cut into sentences.

Marks of form are taken off their words; numbers of lists stay. Code blocks, tables, pictures and footnotes are left
out with a warning, HTML keeps its words, a block of settings (---) at the top is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from pipeline.scripts.build import Builder
from pipeline.scripts.lines import tidy
from pipeline.scripts.markup import marks_end
from pipeline.scripts.markup_html import TAG
from pipeline.scripts.xhtml import read_fragment
from voice.errors import UserError
from voice.transcripts.decode import lines_of

_SETTINGS = 200  # lines of a block at the top
_NOTE = re.compile(r"\[\^[^\]\s]{1,40}\]")  # footnotes are no CommonMark, their marks would be read
_BLOCKS = {"fence": "a code block", "code_block": "an indented code block"}


def read_markdown(text: str, builder: Builder) -> None:
    """Add the text of a `.md` to `builder`. Raises UserError for marks of a line that are wrong."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    try:
        tokens = parser.parse(_without_settings(text))
    except RecursionError as error:
        raise UserError(f"{builder.path}: nested too deep", "flatten lists and quotes") from error
    line, table, item = 1, False, ""
    for place, token in enumerate(tokens):
        line = token.map[0] + 1 if token.map else line
        if token.type in ("table_open", "table_close"):
            table = token.type == "table_open"
            if table:
                builder.warn(line, "a table, left out")
        elif table:
            continue
        elif token.type in _BLOCKS:
            builder.warn(line, f"{_BLOCKS[token.type]}, left out")
            builder.paragraph()
        elif token.type == "html_block":
            _html(token.content, line, builder)
        elif token.type in ("bullet_list_open", "ordered_list_open") and not token.level:
            builder.paragraph()
        elif token.type == "list_item_open":
            item = f"{token.info}{token.markup} " if token.info else ""
        elif token.type == "inline":
            _inline(token, tokens[place - 1], line, item, builder)
            item = ""


def _inline(token: Token, opening: Token, line: int, item: str, builder: Builder) -> None:
    """The words of a heading or paragraph. Paragraphs of a list without blank lines (`hidden`) are near each other."""
    words = _words(token.children or [], line, builder)
    if opening.type == "heading_open":
        title = " ".join(words.split("\n"))
        builder.chapter(title)
        builder.block(line, title, split=False, named=False)
        builder.paragraph()
        return
    if token.content.startswith("[^") and re.match(rf"{_NOTE.pattern}:", token.content):
        builder.warn(line, "a footnote, left out")
        return
    if not opening.hidden:
        builder.paragraph()
    start = marks_end(words)
    builder.block(line, words[:start] + item + words[start:], step=1)
    if not opening.hidden:
        builder.paragraph()


def _words(children: Sequence[Token], line: int, builder: Builder) -> str:
    """Text of inline tokens; its line ends are those of the file."""
    parts: list[str] = []
    for child in children:
        if child.type in ("softbreak", "hardbreak"):
            parts.append("\n")
        elif child.type == "html_inline":  # `x<y and z>w` has the form of a tag
            parts.append("\n" * child.content.count("\n") if TAG.match(child.content) else child.content)
        elif child.type == "image":
            builder.warn(line, f"a picture ({tidy(child.content)[:40]}), left out")
        else:
            parts.append(child.content)
    return _NOTE.sub("", "".join(parts))


def _html(source: str, line: int, builder: Builder) -> None:
    """Words of a block of HTML, a paragraph each of its own."""
    if source.rfind("<!--") > source.rfind("-->"):  # it would take the rest of the book with it
        raise UserError(f"{builder.place.at(line)}: a comment <!-- never ends", "close it with -->")
    found = read_fragment(source)
    if found.fault:
        raise UserError(f"{builder.place.at(line)}: HTML that cannot be read: {found.fault}", "mend it or take it out")
    for what in found.left_out:
        builder.warn(line, f"{what}, left out")
    for block in found.blocks:
        builder.paragraph()
        builder.block(line, block.text)
    builder.paragraph()


def _without_settings(text: str) -> str:
    """The text, its line numbers kept, without a block between two lines `---` at the top."""
    lines = lines_of(text)
    if not lines or lines[0].rstrip() != "---":
        return text
    end = next((n for n in range(1, min(len(lines), _SETTINGS)) if lines[n].rstrip() in ("---", "...")), 0)
    # Settings have a name and a colon; else these are two rules with text between.
    if not end or not all(re.match(r"\s|#|-|[\w-]{1,40}\s*:|$", line) for line in lines[1:end]):
        return text
    return "\n" * (end + 1) + "\n".join(lines[end + 1 :])
