"""The data report: whole, escaped, the same bytes for the same tables, and made whatever is missing or broken."""

from __future__ import annotations

import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from pipeline.cli_data import app as data_app
from tests.made_data import HARD, RATE, Made, flac, make_data
from voice import contracts
from voice.errors import UserError
from voice.report import data, data_phrases
from voice.report.data import write_report
from voice.report.data_items import corrections, raw_sound
from voice.report.data_sound import Size, draw, spectrogram, waveform
from voice.report.data_summary import summarise
from voice.report.data_tables import TABLES, load
from voice.report.data_timeline import Span, clock, line_seconds, timeline
from voice.report.data_worst import worst

VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """What a browser would see: tags balanced or it raises, ids once, links, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.said: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            self.images.append(found)
        self.ids += [value for value in [found.get("id")] if value]
        self.links += [value for key in ("src", "href") if (value := found.get(key))]
        assert not any(key.startswith("on") for key in found), found

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_data(tmp_path_factory.mktemp("made"), accepted=6, distinct=3)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make_data(tmp_path, accepted=4, distinct=2)


@pytest.fixture(autouse=True)
def few_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Histograms take most of a page's time: they are drawn where a test asks for `histograms` only."""
    if "histograms" not in request.fixturenames:
        monkeypatch.setattr(data, "histograms", lambda *_: {})


@pytest.fixture
def histograms() -> None:
    """Asked for by the tests that look at histograms."""


def page_of(made: Made) -> str:
    return write_report(made.voice, made.data, made.raw)[0].read_text(encoding="utf-8")


def test_the_page_is_whole_and_needs_nothing_but_the_sounds_beside_it(template: Made, histograms: None) -> None:
    text = page_of(template)
    page = Page(text)
    assert text.count('alt="Histogram: ') == 4
    assert "script" not in page.tags and len(set(page.ids)) == len(page.ids)
    assert page.images and all(image["alt"] for image in page.images)
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids, link
        elif not link.startswith("data:"):
            assert (template.data / unquote(link.partition("#")[0])).is_file(), link
    for row in [*template.read("aligned.jsonl"), *template.read("aligned.rejected.jsonl")]:
        assert f"segments/{row['id']}.flac" in page.links
    assert any(re.fullmatch(r"clean/day-one\.flac#t=[\d.]+,[\d.]+", link) for link in page.links)
    assert not re.search(r"https?://|@import|url\(", text)


def test_text_from_tables_is_escaped(template: Made) -> None:
    text = page_of(template)
    assert "<script" not in text and "<b>nothing" not in text and "<i>weak" not in text
    said = "".join(Page(text).said)
    assert HARD in said and "tests & <b>nothing</b> else" in said and "odd 'n\" <b>.wav" in said


def test_equal_tables_give_equal_bytes(template: Made, tmp_path: Path, histograms: None) -> None:
    twin = make_data(tmp_path, accepted=6, distinct=3)
    assert page_of(template) == page_of(twin)


def test_seconds_add_up_and_reasons_are_counted(template: Made) -> None:
    found = summarise(load(template.data, template.raw))
    parts = (found.accepted, found.quarantined, found.left_out, found.waiting)
    assert sum(part.seconds for part in parts) + found.silence_seconds == pytest.approx(found.seconds)
    assert sum(part.share or 0 for part in parts) == pytest.approx(1, abs=1e-3)
    assert [(r.table, r.reason, r.items) for r in found.reasons] == [
        ("recordings", "empty", 1),
        ("segments", "too_short", 1),
        ("aligned", "low_score", 2),
    ]
    assert (found.held_out, found.edited, found.draft, found.languages) == (1, 1, 0, {"en": 6})


def test_the_made_tables_hold_their_contracts_and_every_code_has_words(template: Made) -> None:
    tables = load(template.data, template.raw)
    assert tables.gaps == []
    assert set(data_phrases.NOTES) == set(contracts.NOTES)
    codes = {*contracts.REASONS, *contracts.SEGMENT_REASONS, *contracts.RECORDING_REASONS}
    assert set(data_phrases.REASONS) == codes
    words = summarise(tables).words
    assert (words.total, words.aligned, words.quarantined, words.unspoken, words.coverage) == (40, 30, 6, 4, 0.75)


def test_music_is_left_out_but_is_no_lost_speech(made: Made) -> None:
    row = {"id": "m-0000", "recording": "day-one", "start": 0.1, "end": 0.5, "seconds": 0.4, "reason": "no_speech"}
    made.write("segments.rejected.jsonl", [row | {"detail": "music"}])
    found = summarise(load(made.data, made.raw))
    assert (found.no_speech.items, found.left_out.items, found.left_out.share) == (1, 0, 0.0)


@pytest.mark.parametrize("table", [*(file for file, _, _ in TABLES.values()), "coverage.json"])
def test_a_missing_table_is_named_and_the_page_is_made(made: Made, table: str) -> None:
    (made.data / table).unlink(missing_ok=True)
    path, _, missing = write_report(made.voice, made.data, made.raw)
    assert any(gap.startswith(f"{table} is not there") for gap in missing)
    assert f"{table} is not there" in "".join(Page(path.read_text(encoding="utf-8")).said)


def test_segments_wait_where_nothing_is_aligned_yet(made: Made) -> None:
    for file in ("aligned.jsonl", "aligned.rejected.jsonl", "words.jsonl"):
        (made.data / file).unlink()
    text = page_of(made)
    assert text.count('class="suspect"') == 6 and 'class="waiting"' in text
    assert summarise(load(made.data, made.raw)).waiting.items == 6
    links = Page(text).links
    assert "#s-day-one-0001" not in links, "a strip must not lead to a row that is not there"


def test_only_refused_recordings_make_a_page_and_nothing_makes_none(made: Made) -> None:
    for file in made.data.glob("*.json*"):
        if file.name != "recordings.rejected.jsonl":
            file.unlink()
    assert "No recording was taken in." in page_of(made)
    (made.data / "recordings.rejected.jsonl").unlink()
    with pytest.raises(UserError, match="nothing built yet"):
        write_report(made.voice, made.data, made.raw)


def test_a_table_off_its_contract_is_shown_and_said_to_be_wrong(made: Made) -> None:
    rows = made.read("aligned.jsonl")
    rows[0]["score"] = 7.5
    del rows[1]["score"]
    rows[2]["start"] = "soon"
    made.write("aligned.jsonl", rows)
    (made.data / "words.jsonl").write_bytes(b'\xff\xfe\n{"segment": 1}\n[]\nnull\n')
    (made.data / "coverage.json").write_text('["\\ud800"]')
    _, summary, missing = write_report(made.voice, made.data, made.raw)
    assert summary.accepted.items == 4
    assert {gap.split(":")[0].split(" ")[0] for gap in missing} == {"aligned.jsonl", "words.jsonl", "coverage.json"}


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    st.text(max_size=20),
    st.lists(st.text(max_size=3)),
)
COLUMNS = st.sampled_from(
    [
        "id",
        "recording",
        "start",
        "end",
        "seconds",
        "clean_seconds",
        "text",
        "lang",
        "reason",
        "score",
        "snr_db",
        "notes",
    ]
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.dictionaries(COLUMNS, ODD), max_size=3), file=st.sampled_from([f for f, _, _ in TABLES.values()])
)
def test_no_row_is_so_odd_that_there_is_no_page(
    template: Made, tmp_path: Path, rows: list[dict[str, object]], file: str
) -> None:
    folder = tmp_path / "bea"
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*"):
        path.unlink()
    (folder / "recordings.rejected.jsonl").write_text("")
    (folder / file).write_text("".join(json.dumps(row) + "\n" for row in rows))
    path, summary, _ = write_report("bea", folder, template.raw)
    Page(path.read_text(encoding="utf-8"))
    json.dumps(summary.facts())


@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", "a/b", "a\nb", ""])
def test_an_id_is_no_way_out_of_the_folder(made: Made, name: str) -> None:
    (made.root / "secret.flac").write_bytes(flac(np.zeros(RATE, np.float32)))
    rows = made.read("aligned.jsonl")
    made.write("aligned.jsonl", [rows[0] | {"id": name, "recording": name}])
    (made.data / "segments.jsonl").unlink()
    links = Page(page_of(made)).links
    assert not any("secret" in link or "etc" in link for link in links)


@pytest.mark.parametrize(
    ("file", "link"),
    [
        ("a b/c'd.wav", "../raw/bea/a%20b/c%27d.wav"),
        ("javascript:x", "../raw/bea/javascript%3Ax"),
        ("a\nb#c?.mp3", "../raw/bea/a%0Ab%23c%3F.mp3"),
        ("../x.wav", ""),
        ("/etc/passwd", ""),
        ("", ""),
    ],
)
def test_links_to_raw_files_stay_in_their_folder(file: str, link: str) -> None:
    assert raw_sound("bea", {"file": file}) == link


@given(text=st.text())
def test_the_command_shown_gives_back_the_words_whatever_they_hold(text: str) -> None:
    change, turn = (shlex.split(line) for line in corrections("bea", {"id": "day-one-0001", "text": text}))
    assert change[:6] == ["reprovoice", "data", "edit", "bea", "day-one-0001", "--text"] and change[6] == text
    assert turn[5] == "--reject"


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("table", ["aligned.jsonl", "aligned.rejected.jsonl"])
def test_the_command_shown_works(made: Made, monkeypatch: pytest.MonkeyPatch, table: str, which: int) -> None:
    command = shlex.split(corrections("bea", made.read(table)[0])[which])
    monkeypatch.chdir(made.root)
    done = CliRunner().invoke(data_app, command[2:])
    assert done.exit_code == 0, done.output + str(done.exception)
    assert "your name" in page_of(made) and load(made.data, made.raw).edits[0]["who"] == "your name"


def test_the_worst_are_those_with_the_most_points() -> None:
    rows = [
        {"id": name, "score": score} for name, score in (("a", 0.9), ("b", 0.2), ("c", 0.9), ("d", 0.9), ("e", None))
    ]
    measured = {"a": {"snr_db": 30.0, "clipped": 0}, "c": {"snr_db": 3.0}, "d": {"snr_db": 40.0, "clipped": 99}}
    found = worst(rows, measured, count=4)
    assert [(item.row["id"], item.points) for item in found] == [("d", 11.0), ("c", 10.0), ("b", 8.0), ("a", 1.0)]
    assert found[0].reasons == ["99 clipped runs (10.0)", "score 0.90 (1.0)"]


@settings(deadline=None)
@given(st.lists(st.floats(0.5, 900), min_size=1, max_size=40), st.integers(0, 5))
def test_strips_show_every_second_once(lengths: list[float], shift: int) -> None:
    recordings = [{"id": f"r{i}", "seconds": length} for i, length in enumerate(lengths)]
    inside = {
        f"r{i}": [Span(t, min(t + 1.5 + shift, length), "accepted", f"s{i}", "x") for t in range(0, int(length), 7)]
        for i, length in enumerate(lengths)
    }
    blocks = timeline(recordings, inside)
    line = line_seconds(lengths)
    pieces = [piece for block in blocks for piece in block.pieces]
    assert sum(piece.percent for piece in pieces) * line / 100 == pytest.approx(sum(lengths), rel=1e-3, abs=0.05)
    assert all(0 < piece.percent <= 100 for piece in pieces)
    drawn = sum(float(width) for piece in pieces for width in re.findall(r'width="([\d.]+)" height="10"', piece.svg))
    wanted = sum(span.end - span.start for items in inside.values() for span in items)
    assert drawn == pytest.approx(wanted, abs=0.02 * sum(map(len, inside.values())) + 0.02 * len(pieces))


def test_no_strip_has_a_line_for_its_last_second() -> None:
    assert [len(block.pieces) for block in timeline([{"id": "r", "seconds": 61.4}], {})] == [1]
    (block,) = timeline([{"id": "r", "seconds": 200.0}], {})
    assert [piece.percent for piece in block.pieces] == [100.0] * 3


def test_two_hours_and_a_thousand_clips_stay_a_page_of_strips() -> None:
    assert sum(len(block.pieces) for block in timeline([{"id": "r", "seconds": 7200.0}], {})) == 60
    many = timeline([{"id": f"r{i}", "seconds": 5.0} for i in range(1000)], {})
    assert len(many) == 1 and many[0].title == "1000 recordings, r0 to r999"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0.0 s"), (59.96, "1:00.0"), (61.25, "1:01.2"), (3599.99, "1:00:00"), (7262, "2:01:02")]
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_pictures_show_what_is_heard(tmp_path: Path) -> None:
    time = np.arange(2 * RATE) / RATE
    beep = np.where(time < 1, 0.5 * np.sin(2 * np.pi * 1000 * time), 0).astype(np.float32)
    wave = waveform(beep, 100, 41)
    inked = (wave == 15).sum(axis=0)
    assert (inked[:49] == 21).all() and (inked[51:] == 1).all(), "half of full scale, then a line"
    rows = spectrogram(beep, 100, 60)
    loud = rows[:, 25].argmax()
    assert (1 - loud / 60) ** 1.5 * RATE / 2 == pytest.approx(1000, rel=0.1)
    assert rows[:, 10:40].max() == 13 and rows[:, 60:].max() == 0
    (tmp_path / "x.flac").write_bytes(flac(beep))
    quiet = draw(tmp_path / "x.flac", Size(40, 20, 20), (1.2, 1.8))
    whole = draw(tmp_path / "x.flac", Size(40, 20, 20))
    assert quiet and whole and len(quiet.wave) < len(whole.wave)
    assert draw(tmp_path / "x.flac", Size(40, 20, 20), (5.0, 6.0)) is None
    (tmp_path / "y.flac").write_bytes(b"fLaC nothing")
    assert draw(tmp_path / "y.flac", Size(40, 20, 20)) is None


@pytest.mark.parametrize("samples", [1, 7, 159, 161])
def test_the_shortest_sounds_have_pictures_too(samples: int) -> None:
    sound = np.ones(samples, np.float32)
    assert waveform(sound, 160, 28).shape == (28, 160) and spectrogram(sound, 160, 44).shape == (44, 160)


def test_only_so_many_segments_get_pictures(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "THUMBNAILS", 4)
    text = page_of(made)
    assert text.count("thumbs small") == 4 and "Pictures are drawn for 4 segments" not in text
    monkeypatch.setattr(data, "THUMBNAILS", 3)
    assert "Pictures are drawn for 3 segments" in page_of(made)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(data_app, ["report", *arguments])


def test_command_prints_path_and_table_or_one_object(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made.root)
    done = run("bea")
    assert done.exit_code == 0 and done.stdout.splitlines()[-1] == str(made.data / "report.html")
    assert re.search(r"low_score\s*│\s*2", done.stdout) and "too_short" in done.stdout
    found = json.loads(run("bea", "--json").stdout)
    assert found["accepted"]["items"] == 4 and found["report"].endswith("data/bea/report.html")


@pytest.mark.parametrize(("voice", "part"), [("eve", "unknown voice"), ("../bea", "unknown voice"), ("raw", "unknown")])
def test_command_refuses_in_one_line(made: Made, monkeypatch: pytest.MonkeyPatch, voice: str, part: str) -> None:
    monkeypatch.chdir(made.root)
    done = run(voice)
    assert isinstance(done.exception, UserError) and part in str(done.exception) and done.stdout == ""
    (made.root / "data" / "raw" / "new").mkdir()
    done = run("new")
    assert isinstance(done.exception, UserError) and "nothing built yet" in str(done.exception)
