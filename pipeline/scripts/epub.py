"""EPUB 2 and 3: documents in reading order; where the table of contents points, a chapter begins.

A book whose contents name no place in its text has a chapter at each heading. Headings are spoken where they stand;
titles that are only in the contents are not. The number of a line counts paragraphs of the whole book.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.scripts.build import Builder
from pipeline.scripts.epub_archive import Archive
from pipeline.scripts.epub_package import Book, read_book
from pipeline.scripts.lines import Script
from pipeline.scripts.xhtml import Block, read_fragment
from voice.errors import UserError


def read_epub(builder: Builder) -> Script:
    """The script of the book that `builder` has the path of. Raises UserError, which names the part of the book."""
    with Archive(builder.path) as archive:
        book = read_book(archive)
        builder.warnings += book.warnings
        listed = any(path in book.documents for path, _ in book.contents)
        number = 0
        for name in book.documents:
            number = _document(archive, name, book, builder, number, listed)
    return replace(builder.script(), title=book.title, author=book.author, language=book.language)


def _document(archive: Archive, name: str, book: Book, builder: Builder, number: int, listed: bool) -> int:
    """Add a document; the number of its last paragraph."""
    document = read_fragment(archive.text(name))
    builder.place = replace(builder.place, part=name)
    if fault := document.fault or (document.unclosed and f"<{document.unclosed}> never ends"):
        raise UserError(f"{archive.path}, {name}: {fault}", "the document is damaged")
    builder.warnings += [f"{archive.path}, {name}: {what}, left out" for what in document.left_out]
    if (name, "") in book.contents:
        builder.chapter(book.contents[name, ""])
    for block in document.blocks:
        _chapter(block, name, book, builder, listed)
        if block.text:
            number += 1
            builder.paragraph()
            builder.block(number, block.text, split=not block.heading, named=not block.heading)
    builder.paragraph()
    return number


def _chapter(block: Block, name: str, book: Book, builder: Builder, listed: bool) -> None:
    titles = [book.contents[name, found] for found in block.ids if (name, found) in book.contents]
    if titles:
        builder.chapter(titles[-1])
    elif block.heading and not listed:
        builder.chapter(block.text)
