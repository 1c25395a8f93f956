"""review.html lists what a person should hear and nothing else, and shows text as text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.review import PAGE, Attempt, ReviewLine, link, write_review
from voice.errors import UserError

GOOD, BAD = Attempt(7), Attempt(6, ("left out: the harbour",))


class Page(HTMLParser):
    """What a browser makes of a page: tags, texts, addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.ids: list[str] = []
        self.said: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        self.sources += [str(found[name]) for name in ("src", "href") if found.get(name)]
        self.ids += [str(found["id"])] if "id" in found else []
        if found.get("class") == "said":
            self.said.append("")
            self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.said[-1] += data


def line(number: int, *attempts: Attempt, kept: int = 0, text: str = "Down to the harbour.", **more: str) -> ReviewLine:
    return ReviewLine(number, text, "alice", f"lines/{number:04d}-a1.flac", attempts, kept, **more)


def page(out: Path, *lines: ReviewLine) -> Page:
    write_review(out, "A book", lines, "aligner 0123")
    return Page((out / PAGE).read_text(encoding="utf-8"))


def test_only_failing_lines_and_those_that_took_retries_are_listed(tmp_path: Path) -> None:
    lines = [line(1, GOOD), line(2, BAD, BAD, kept=1), line(3, BAD, GOOD, kept=1), line(4, GOOD)]
    assert write_review(tmp_path, "A book", lines, "aligner 0123") == (1, 1)
    text = (tmp_path / PAGE).read_text(encoding="utf-8")
    found = Page(text)
    assert found.ids == ["failing", "line-2", "mended", "line-3"]
    assert found.sources == ["data:,", "./lines/0002-a1.flac", "./lines/0003-a1.flac"]
    assert "Of 4 lines 1 fail, 1 passed" in text and "aligner 0123" in text
    assert text.count("left out: the harbour") == 4  # once as the reason of line 2, and at each failed attempt
    assert "script" not in found.tags and text.count("(kept)") == 2


def test_a_page_without_lines_says_so_and_replaces_an_older_one(tmp_path: Path) -> None:
    assert page(tmp_path, line(1, BAD)).ids == ["failing", "line-1"]
    empty = page(tmp_path, line(1, GOOD))
    assert empty.ids == [] and "audio" not in empty.tags
    assert "nothing to hear" in (tmp_path / PAGE).read_text(encoding="utf-8")


def test_a_line_that_could_not_be_said_has_its_error_and_no_player(tmp_path: Path) -> None:
    found = page(tmp_path, ReviewLine(3, "Zażółć", "alice", None, (), error="phone q: unknown to this base"))
    assert found.ids == ["failing", "line-3"] and "audio" not in found.tags
    assert "phone q: unknown to this base" in (tmp_path / PAGE).read_text(encoding="utf-8")


def test_the_same_lines_give_the_same_bytes_and_no_file_is_left_beside(tmp_path: Path) -> None:
    page(tmp_path, line(1, BAD))
    before = (tmp_path / PAGE).read_bytes()
    page(tmp_path, line(1, BAD))
    assert (tmp_path / PAGE).read_bytes() == before and [path.name for path in tmp_path.iterdir()] == [PAGE]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_shown_as_text(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    out = tmp_path_factory.mktemp("page")
    text = f"<script>alert(1)</script>{text}"
    reason = Attempt(1, (f"left out: {text}",))
    found = page(out, line(1, reason, text=text, chapter=text), line(2, BAD, error=text))
    assert "script" not in found.tags and found.ids == ["failing", "line-1", "line-2"]
    assert re.sub(r"\s", " ", found.said[0].strip()) == re.sub(r"\s", " ", text.strip()) or "\0" in text or "\r" in text


@pytest.mark.parametrize("file", ["/etc/passwd", "../x.flac", "lines/../../x.flac", "..\\x.flac", ""])
def test_a_file_outside_of_the_folder_is_refused(tmp_path: Path, file: str) -> None:
    with pytest.raises(UserError, match="leaves the output folder"):
        link(file)


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\\/\0"), min_size=1))
def test_a_link_is_relative_and_leads_back_to_its_file(name: str) -> None:
    if name in (".", ".."):
        return
    found = link(f"lines/{name}")
    assert found.startswith("./lines/") and unquote(found) == f"./lines/{name}"
    assert not set(found) & set('"<>#? ')
