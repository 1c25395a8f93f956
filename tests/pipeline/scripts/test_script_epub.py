"""EPUB: order, chapters, and archives that are damaged, protected or too large."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from script_files import CONTAINER, NAV_ITEM, epub, nav, package, page, texts

from pipeline.scripts import epub_archive, read_script
from voice.errors import UserError

ONE = "<h1>One</h1><p>First sentence. Second\none.</p><p>Third<br/>line.</p>"
TWO = '<section id="two"><h2>Two</h2><p>Fourth.</p></section><p id="three">Fifth.</p>'


def refused(path: Path, *words: str) -> None:
    with pytest.raises(UserError) as caught:
        read_script(path)
    for word in (path.name, *words):
        assert word in str(caught.value), str(caught.value)
    assert "\n" not in str(caught.value)


def test_documents_come_in_reading_order_with_headings_as_chapters(tmp_path: Path) -> None:
    order = '<itemref idref="i1"/><itemref idref="i0"/>'
    parts = {"b.xhtml": page(TWO), "a a.xhtml": page(ONE)}
    script = read_script(epub(tmp_path / "a.epub", parts, package(["b.xhtml", "a%20a.xhtml"], spine=order)))
    assert script.chapters == ("One", "Two")
    assert (script.title, script.author, script.language) == ("The Book", "A. Writer", "en")
    assert [(line.number, line.chapter, line.text, line.gap) for line in script.lines] == [
        (1, 0, "One", "start"),
        (2, 0, "First sentence.", "paragraph"),
        (2, 0, "Second one.", "line"),
        (3, 0, "Third line.", "paragraph"),
        (4, 1, "Two", "chapter"),
        (5, 1, "Fourth.", "paragraph"),
        (6, 1, "Fifth.", "paragraph"),
    ]


@pytest.mark.parametrize("version", [2, 3])
def test_a_table_of_contents_makes_the_chapters(tmp_path: Path, version: int) -> None:
    links = [("a.xhtml", "Start"), ("a.xhtml", "Again"), ("b.xhtml#three", "The third")]
    points = "".join(
        f"<navPoint><navLabel><text>{t}</text></navLabel><content src='{h}'/></navPoint>" for h, t in links
    )
    ncx = f'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>{points}</navMap></ncx>'
    parts = {"a.xhtml": page(ONE), "b.xhtml": page(TWO), "toc.ncx": ncx, "nav.xhtml": nav(*links)}
    more = NAV_ITEM if version == 3 else '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    script = read_script(epub(tmp_path / "a.epub", parts, package(["a.xhtml", "b.xhtml"], more=more)))
    assert script.chapters == ("Start", "The third")
    assert [line.text for line in script.lines if line.gap in ("start", "chapter")] == ["One", "Fifth."]


def test_what_is_no_text_is_left_out(tmp_path: Path) -> None:
    body = (
        "<p>漢<ruby>字<rp>(</rp><rt>じ</rt><rp>)</rp></ruby> a&#160;b&nbsp;&lt;c&gt;</p>"
        "<script>var x='<p>no</p>';</script>"
        '<table><tr><td>no<table><tr><td>no</td></tr></table></td></tr></table><p>Two<a epub:type="noteref">1</a>.</p>'
        '<aside epub:type="footnote"><p>no</p></aside><p hidden="hidden">no</p><pre>no</pre><script/><p>Three.</p>'
    )
    more = '<item id="c" href="c.svg" media-type="image/svg+xml"/>'
    order = '<itemref idref="c"/><itemref idref="i0"/><itemref idref="i1" linear="no"/>'
    opf = package(["a.xhtml", "n.xhtml"], more=more, spine=order)
    script = read_script(epub(tmp_path / "a.epub", {"a.xhtml": page(body), "n.xhtml": page("no")}, opf))
    assert texts(script) == ["漢字 a b <c>", "Two.", "Three."]
    assert [warning.split("OEBPS/")[1] for warning in script.warnings] == [
        "c.svg: image/svg+xml is no text, left out",
        "n.xhtml: outside of the reading order, left out",
        "a.xhtml: a code block, left out",
        "a.xhtml: a note, left out",
        "a.xhtml: a table, left out",
    ]


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    whole = epub(tmp_path / "a.epub", {"a.xhtml": page(ONE * 200)}, package(["a.xhtml"])).read_bytes()
    for share in (0.0, 0.3, 0.7, 0.99):
        (tmp_path / "b.epub").write_bytes(whole[: int(len(whole) * share)])
        refused(tmp_path / "b.epub", "damaged or cut short")


def test_damaged_bytes_inside_are_refused_or_do_no_harm(tmp_path: Path) -> None:
    whole = epub(tmp_path / "a.epub", {"a.xhtml": page(ONE * 20)}, package(["a.xhtml"])).read_bytes()
    start = whole.index(b"a.xhtml") + 10
    (tmp_path / "b.epub").write_bytes(whole[:start] + bytes(40) + whole[start + 40 :])
    refused(tmp_path / "b.epub", "OEBPS/a.xhtml", "damaged")


def encryption(method: str, name: str) -> str:
    return (
        '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" xmlns:e="http://www.w3.org/2001/04/xmlenc#">'
        f'<e:EncryptedData><e:EncryptionMethod Algorithm="{method}"/><e:CipherData><e:CipherReference URI="{name}"/>'
        "</e:CipherData></e:EncryptedData></encryption>"
    )


def test_a_protected_book_is_refused_but_hidden_fonts_are_not(tmp_path: Path) -> None:
    where, parts = "/META-INF/encryption.xml", {"a.xhtml": page(ONE)}
    drm = encryption("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "OEBPS/a.xhtml")
    refused(epub(tmp_path / "a.epub", parts | {where: drm}, package(["a.xhtml"])), "encrypted", "OEBPS/a.xhtml")
    fonts = encryption("http://www.idpf.org/2008/embedding", "OEBPS/f.otf")
    assert read_script(epub(tmp_path / "b.epub", parts | {where: fonts}, package(["a.xhtml"]))).lines


def test_an_archive_with_a_password_is_refused(tmp_path: Path) -> None:
    path = epub(tmp_path / "a.epub", {"a.xhtml": page(ONE)}, package(["a.xhtml"]))
    data = bytearray(path.read_bytes())
    for head, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):  # flag bit 0 of every part, in both lists
        at = data.find(head)
        while at >= 0:
            data[at + place] |= 1
            at = data.find(head, at + 4)
    path.write_bytes(data)
    refused(path, "is encrypted", "password")


def test_archives_that_grow_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = epub(tmp_path / "a.epub", {"a.xhtml": page("<p>" + "a" * 17_000_000 + "</p>")}, package(["a.xhtml"]))
    assert bomb.stat().st_size < 100_000
    refused(bomb, "above 16000000 bytes")
    entities = '<!DOCTYPE x [<!ENTITY a "aa">]>' + package(["a.xhtml"])
    refused(epub(tmp_path / "b.epub", {"a.xhtml": page(ONE)}, entities), "entities of its own")
    outside = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + package(["a.xhtml"])
    refused(epub(tmp_path / "c.epub", {"a.xhtml": page(ONE)}, outside), "entities of its own")
    monkeypatch.setattr(epub_archive, "MAX_PARTS", 3)
    refused(epub(tmp_path / "d.epub", {"a.xhtml": page(ONE)}, package(["a.xhtml"])), "4 parts, the limit is 3")


@pytest.mark.parametrize(
    ("parts", "opf", "words"),
    [
        ({}, package(["a.xhtml"]), ["OEBPS/a.xhtml", "is missing"]),
        ({}, package(["../../../etc/passwd"]), ["is missing"]),
        ({"a.xhtml": page(ONE)}, "<package>", ["book.opf", "not XML"]),
        ({"a.xhtml": page(ONE)}, package([]), ["no document in reading order"]),
        ({"a.xhtml": page(ONE)}, package(["a.xhtml"], spine='<itemref idref="zz"/>'), ["no item 'zz'"]),
        ({"a.xhtml": page("<table><p>x</p>")}, package(["a.xhtml"]), ["<table> never ends"]),
        ({"a.xhtml": page("<![foo[ x")}, package(["a.xhtml"]), ["a.xhtml", "damaged"]),
        ({"a.xhtml": page("<p></p>")}, package(["a.xhtml"]), ["no line to speak"]),
        ({"a.xhtml": page("<p>Hi.</p><p>[speed=9] x</p>")}, package(["a.xhtml"]), ["a.xhtml, paragraph 2", "speed=9"]),
    ],
)
def test_a_damaged_book_is_refused_by_its_part(
    tmp_path: Path, parts: dict[str, str], opf: str, words: list[str]
) -> None:
    refused(epub(tmp_path / "a.epub", parts, opf), *words)


def test_a_zip_that_is_no_book_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.epub", "w") as file:
        file.writestr("x", "y")
    refused(tmp_path / "a.epub", "META-INF/container.xml", "is missing")
    with zipfile.ZipFile(tmp_path / "b.epub", "w") as file:
        file.writestr("META-INF/container.xml", CONTAINER.replace("OEBPS/book.opf", ""))
    refused(tmp_path / "b.epub", "names no package")
