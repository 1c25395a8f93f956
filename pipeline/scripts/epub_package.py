"""What an EPUB says of itself: its documents in reading order, its table of contents, title, author, language."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from urllib.parse import unquote
from xml.etree import ElementTree

from pipeline.scripts.epub_archive import DAMAGED, Archive
from pipeline.scripts.lines import tidy
from voice.errors import UserError

_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")  # hidden fonts, text is open


@dataclass(frozen=True)
class Book:
    """`documents` are paths in the archive, in order; `contents` are titles by (path, id of an element or "")."""

    documents: tuple[str, ...]
    contents: dict[tuple[str, str], str]
    title: str = ""
    author: str = ""
    language: str = ""
    warnings: tuple[str, ...] = ()


def read_book(archive: Archive) -> Book:
    """Reading order and contents. Raises UserError for a protected or damaged book."""
    _refuse_protected(archive)
    roots = _all(archive.xml("META-INF/container.xml"), "rootfile")
    package = next((root.get("full-path", "") for root in roots if root.get("full-path")), "")
    if not package:
        raise UserError(f"{archive.path}: names no package", DAMAGED)
    root = archive.xml(package)
    items = {item.get("id", ""): item for item in _all(root, "item")}
    documents, warnings = _spine(archive, root, items, package)
    return Book(
        tuple(documents),
        _contents(archive, root, items, package),
        *(_first(root, "title"), _first(root, "creator"), _first(root, "language")),
        tuple(warnings),
    )


def target(base: str, href: str) -> tuple[str, str]:
    """(path in the archive, id) of a link in the part `base`."""
    path, _, name = href.partition("#")
    joined = posixpath.join(posixpath.dirname(base), unquote(path)) if path else base
    return posixpath.normpath(joined), unquote(name)


def _spine(
    archive: Archive, root: ElementTree.Element, items: dict[str, ElementTree.Element], package: str
) -> tuple[list[str], list[str]]:
    """Documents in reading order, each once, and warnings for what is not read."""
    documents: list[str] = []
    warnings = []
    for reference in _all(root, "itemref"):
        item = items.get(reference.get("idref", ""))
        if item is None:
            raise UserError(f"{archive.path}, {package}: no item {reference.get('idref', '')!r}", DAMAGED)
        name = target(package, item.get("href", ""))[0]
        if "nav" in item.get("properties", "").split() or name in documents:
            continue
        if reference.get("linear") == "no":
            warnings.append(f"{archive.path}, {name}: outside of the reading order, left out")
        elif item.get("media-type", "") not in ("application/xhtml+xml", "text/html", "text/x-oeb1-document"):
            warnings.append(f"{archive.path}, {name}: {item.get('media-type', '')[:60]} is no text, left out")
        else:
            documents.append(name)
    if not documents:
        raise UserError(f"{archive.path}, {package}: no document in reading order", DAMAGED)
    return documents, warnings


def _contents(
    archive: Archive, root: ElementTree.Element, items: dict[str, ElementTree.Element], package: str
) -> dict[tuple[str, str], str]:
    """Titles of an EPUB 3 `nav`, else of an EPUB 2 `ncx`; the first title of a place holds."""
    nav = next((item for item in items.values() if "nav" in item.get("properties", "").split()), None)
    ncx = next((item for item in items.values() if item.get("media-type") == "application/x-dtbncx+xml"), None)
    found: dict[tuple[str, str], str] = {}
    for item, read in ((nav, _nav), (ncx, _ncx)):
        name = target(package, item.get("href", ""))[0] if item is not None else ""
        if name in archive and not found:
            for href, title in read(archive.xml(name)):
                if href and tidy(title):
                    found.setdefault(target(name, href), tidy(title))
    return found


def _nav(root: ElementTree.Element) -> list[tuple[str, str]]:
    lists = _all(root, "nav")
    kind = "{http://www.idpf.org/2007/ops}type"
    chosen = [nav for nav in lists if "toc" in nav.get(kind, "").split()] or lists[:1]
    return [(link.get("href", ""), "".join(link.itertext())) for nav in chosen[:1] for link in _all(nav, "a")]


def _ncx(root: ElementTree.Element) -> list[tuple[str, str]]:
    found = []
    for point in _all(root, "navPoint"):
        own = {child.tag.rpartition("}")[2]: child for child in point}
        label, content = own.get("navLabel"), own.get("content")
        if label is not None and content is not None:
            found.append((content.get("src", ""), "".join(label.itertext())))
    return found


def _refuse_protected(archive: Archive) -> None:
    """Raise UserError when more than fonts is encrypted: such a book can be read only by its seller's programs."""
    if "META-INF/encryption.xml" not in archive:
        return
    for part in _all(archive.xml("META-INF/encryption.xml"), "EncryptedData"):
        methods = [method.get("Algorithm", "") for method in _all(part, "EncryptionMethod")]
        if not methods or any(method not in _FONTS for method in methods):
            names = [place.get("URI", "") for place in _all(part, "CipherReference")]
            raise UserError(
                f"{archive.path}: encrypted ({(names or ['a part'])[0]!r})", "it is protected; give a book without"
            )


def _all(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """Elements of that name in any namespace, in order."""
    return [element for element in root.iter() if str(element.tag).rpartition("}")[2] == name]


def _first(root: ElementTree.Element, name: str) -> str:
    return next((words for element in _all(root, name) if (words := tidy("".join(element.itertext())))), "")
