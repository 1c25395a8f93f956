"""The page of an audit: all of the answer, nothing of it as markup, the same bytes each time, fast when it is long."""

from __future__ import annotations

import dataclasses
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipeline.audit import audit
from pipeline.audit.backward import Audit
from pipeline.audit.chain import Link, Param, Step
from pipeline.audit.drawing import HEIGHT, WIDTH, draw
from pipeline.audit.environment import Environment
from pipeline.audit.metrics import Metrics
from pipeline.audit.page import check_page, render, write_page
from pipeline.audit.sources import BaseWeights, Recording, Source
from pipeline.audit.utterances import Utterance, Utterances
from pipeline.cli import app
from voice.errors import UserError

HOSTILE = "</title></svg><script>alert(1)</script>\"'><img src=x onerror=y>&amp;"


class Page(HTMLParser):
    """Elements with their attributes, and the text of all."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)

    @property
    def text(self) -> str:
        return " ".join(self.words)


def steps(count: int = 3, name: str = "s") -> tuple[Step, ...]:
    """A row of stages, each reading what the one before made and a source of its own."""
    found = []
    for n in range(count):
        deps = [Link(f"data/raw/{name}{n}", "raw", "aa", "aa"), Link("voice/code.py", "code", "bb", "bb")]
        deps += [Link(f"out/{name}{n - 1}", "made", "cc", "cc")] if n else []
        param = Param("slice", {"a": 1}, {"a": 1})
        found.append(Step(f"{name}{n}", f"run {name}", False, (), tuple(deps), (param,),
                          (Link(f"out/{name}{n}", "output", "cc", "dd" if n == 1 else "cc"),)))  # fmt: skip
    return tuple(found)


def answer(word: str = "ann", rows: int = 3, problems: tuple[str, ...] = ()) -> Audit:
    kept = [Utterance(f"{word}-{n}", word, f"data/raw/{word}", f"data/raw/{word}/a.flac", n * 1.0, n + 0.5, "train",
                      text=f"{word} says {n}", score=0.91234, times={"semantic": 10, "acoustic": None})
            for n in range(rows)]  # fmt: skip
    out = Utterance(f"{word}-x", word, f"data/raw/{word}", None, None, None, "excluded", stage="slice",
                    reason=f"too noisy {word}", detail=word, edits=({"why": word, "who": word},))  # fmt: skip
    return Audit(
        f"models/{word}",
        (Source(word, "synthetic", word, (Recording(f"{word}.flac", "11", "11", "11"),), word, (word,)),),
        (BaseWeights("models/base/a", "22", "22", word, word, word),),
        steps(name=word),
        None,
        tuple(("output", text) for text in problems),
        (Utterances(word, (*kept, out), (word,)),),
        (Metrics("m.json", word, False, word, {}, {word: 1.5}),),
        Environment("c0", None, (word,), "33", "requirements.lock", "44", "3", "linux", word, 2, (), (word,)),
        5,
        7,
    )


def test_the_page_has_all_of_the_answer_and_loads_nothing() -> None:
    page = render(answer())
    found = Page(page)
    for word in ("fresh", "ann-0", "0.00-0.50", "ann says 2", "0.912", "acoustic unknown, semantic 10", "too noisy ann",
                 "models/base/a", "1.5", "synthetic", "data/raw/ann0", "raw: ok", "output: changed"):  # fmt: skip
        assert word in found.text, word
    titles = found.text
    assert "recorded cc" in titles and "now dd" in titles  # hashes of the boxes, told on hovering
    assert not {"script", "iframe", "object", "audio", "img"} & {tag for tag, _ in found.tags}
    addresses = [value for _, given in found.tags for name, value in given.items() if name in ("src", "href")]
    assert addresses == ["data:,"] and "url(" not in page and "@import" not in page and "http:" not in page
    assert "prefers-color-scheme: dark" in page


def test_equal_answers_are_equal_bytes_whatever_was_read_anew() -> None:
    one = answer()
    assert render(one) == render(dataclasses.replace(one, read=900, unchanged=1))
    assert render(one) != render(answer(problems=("data/raw/ann changed",)))
    assert "stale" in Page(render(answer(problems=("data/raw/ann changed",)))).text


@settings(max_examples=15, deadline=None)
@given(st.one_of(st.just(HOSTILE), st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1)))
def test_no_text_becomes_markup(word: str) -> None:
    plain, found = Page(render(answer("ann", problems=("bad",)))), Page(render(answer(word, problems=(word,))))
    assert [tag for tag, _ in found.tags] == [tag for tag, _ in plain.tags]
    assert [sorted(given) for _, given in found.tags] == [sorted(given) for _, given in plain.tags]
    assert f"{word} says 1" in "".join(found.words)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_any_graph_is_drawn_left_to_right_without_two_boxes_at_one_place(pairs: list[tuple[int, int]]) -> None:
    """Circles, too: a dvc.lock that somebody wrote by hand may have them."""
    given = [Step(f"s{n}", "c", False, (), (Link(f"p{a}", "made", "x", "x"),), (), (Link(f"p{b}", "output", "x", "x"),))
             for n, (a, b) in enumerate(pairs)]  # fmt: skip
    drawing = draw(given)
    places = [(box.x, box.y) for box in drawing.boxes]
    assert len(set(places)) == len(places) == len(pairs) + len({n for pair in pairs for n in pair})
    assert all(x + WIDTH <= drawing.width and y + HEIGHT <= drawing.height for x, y in places)
    straight = draw(steps())
    across = {box.name: box.x for box in straight.boxes}
    assert across["s0"] < across["out/s0"] < across["s1"] < across["out/s1"] < across["s2"] < across["out/s2"]
    assert all(int(re.findall(r"M(\d+)", line)[0]) < int(line.split()[-2]) for line in straight.lines)


def test_ten_thousand_utterances_are_one_page_of_a_few_megabytes() -> None:
    long = answer(rows=10_000)
    start = time.process_time()
    page = render(long)
    took = time.process_time() - start
    assert len(page.encode()) < 4_000_000 and page.count("ann says") == 10_000
    assert took < 2.0, took


def test_a_page_is_written_whole_and_never_over_weights(tmp_path: Path) -> None:
    weights = tmp_path / "acoustic.safetensors"
    weights.write_bytes(b"kept")
    for bad in (weights, tmp_path, tmp_path / "audit"):
        with pytest.raises(UserError, match="not the name of a page"):
            write_page(answer(), bad)
    assert weights.read_bytes() == b"kept"
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match="--html .*file/audit.html"):
        write_page(answer(), tmp_path / "file/audit.html")
    check_page(tmp_path / "audit.HTML")
    write_page(answer("\ud800 half"), tmp_path / "audit.html")
    assert "half says 1" in (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["acoustic.safetensors", "audit.html", "file"]


def test_the_command_writes_it_beside_its_answer(built: Path, tmp_path: Path) -> None:
    page = tmp_path / "pages/audit.html"
    done = CliRunner().invoke(app, ["audit", "models/ann/semantic.txt", "--html", str(page)])
    assert done.exit_code in (0, 1) and "models/ann/semantic.txt" in done.stdout
    first = page.read_bytes()
    assert first.decode() == render(audit(built, built / "models/ann/semantic.txt"))
    for wrong in (["--verify", "--html", str(page)], ["data/raw/ann/recording.flac", "--html", str(page)]):
        failed = CliRunner().invoke(app, ["audit", *wrong])
        assert isinstance(failed.exception, UserError) and "goes with the path of an output" in str(failed.exception)
