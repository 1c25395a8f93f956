"""Scripts written for a test, EPUBs among them, and what is expected of a refused one."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from pipeline.scripts import Cast, Script, read_cast, read_script
from voice.errors import UserError

CONTAINER = """<?xml version="1.0"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""


def read(
    folder: Path, name: str, text: str | bytes, cast: Cast | None = None, voices: list[str] | None = None
) -> Script:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_script(path, cast, voices)


def refused(folder: Path, name: str, text: str | bytes, *words: str, cast: Cast | None = None) -> UserError:
    """The error of a script that must be refused; it is one line and holds all `words`."""
    with pytest.raises(UserError) as caught:
        read(folder, name, text, cast)
    message = str(caught.value)
    assert "\n" not in message
    for word in (name, *words):
        assert word in message, message
    return caught.value


def cast_of(folder: Path, text: str, voices: list[str] | None = None) -> Cast:
    (folder / "cast.yaml").write_text(text, encoding="utf-8")
    return read_cast(folder / "cast.yaml", voices)


def texts(script: Script) -> list[str]:
    return [line.text for line in script.lines]


def page(body: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" '
        f'xmlns:epub="http://www.idpf.org/2007/ops"><head><title>Not read</title></head><body>{body}</body></html>'
    )


def package(names: list[str], *, more: str = "", spine: str | None = None) -> str:
    items = "".join(
        f'<item id="i{n}" href="{name}" media-type="application/xhtml+xml"/>' for n, name in enumerate(names)
    )
    order = spine or "".join(f'<itemref idref="i{n}"/>' for n in range(len(names)))
    return (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The Book</dc:title><dc:creator>A. Writer</dc:creator>'
        f"<dc:language>en</dc:language></metadata><manifest>{items}{more}</manifest><spine>{order}</spine></package>"
    )


def nav(*links: tuple[str, str]) -> str:
    rows = "".join(f'<li><a href="{href}">{title}</a></li>' for href, title in links)
    return page(f'<nav epub:type="toc"><ol>{rows}</ol></nav>')


NAV_ITEM = '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'


def epub(path: Path, parts: dict[str, str], opf: str) -> Path:
    """An EPUB of these parts below OEBPS/, names from / being whole."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        file.writestr("META-INF/container.xml", CONTAINER)
        file.writestr("OEBPS/book.opf", opf)
        for name, text in parts.items():
            file.writestr(name[1:] if name.startswith("/") else f"OEBPS/{name}", text)
    return path
