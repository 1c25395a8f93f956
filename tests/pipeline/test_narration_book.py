"""What a book is made into: kinds of files, chapters, loudness, labels, subtitles, and slots of dubbing."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from PIL import Image
from pipeline_fakes import Beep, FakeVoice, load_fake

from pipeline.engine import SayOptions
from pipeline.narration import BookOptions, NarrationReport, read_manifest, run_narration
from voice.errors import UserError
from voice.mastering.loudness import levels
from voice.mastering.marks import ToneMark
from voice.mastering.tags import read_aigc
from voice.transcripts.subtitles import read_subtitles

BOOK = "# One\n\nThe first sentence is here.\n\nA second one, too.\n\n# Two\n\nThe last words of all.\n"


class Noisy(FakeVoice):
    """Half a second of silence, noise, a fifth of a second of silence: something with a loudness."""

    def say(self, text: str, *, length_scale: float | None = None, rate: int | None = None, **options: Any) -> Beep:
        rate = rate or self.sample_rate
        rng = np.random.default_rng(len(text))
        count = round(len(text) * 0.06 * rate * (length_scale or 1.0))
        noise = np.convolve(rng.normal(0, 0.05, count), np.ones(8) / 3, "same")
        audio = np.concatenate([np.zeros(rate // 2), noise, np.zeros(rate // 5)]).astype(np.float32)
        return Beep(audio, rate, len(audio) / rate, options.get("seed") or 0)


def load_noisy(root: Path, name: str) -> Noisy:
    return Noisy()


def go(
    root: Path, book: BookOptions, name: str = "book.md", text: str = BOOK, load: Any = load_noisy
) -> NarrationReport:
    (root / name).write_text(text, encoding="utf-8")
    return run_narration(root, root / name, "ann", root / "out", SayOptions(), load, book=book)


def picture(path: Path) -> Path:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 30, 30)).save(buffer, "PNG")
    path.write_bytes(buffer.getvalue())
    return path


def cues(path: Path) -> list[tuple[float, float]]:
    return [(float(str(row.start)), float(str(row.end))) for row in read_subtitles(path.read_text(), path)]  # type: ignore[union-attr]


@pytest.mark.parametrize("mark", ["none", "tone"])
def test_an_m4b_has_the_books_chapters_and_cover(tmp_path: Path, mark: str) -> None:
    cover = picture(tmp_path / "cover.png")
    report = go(tmp_path, BookOptions(formats=("m4b",), cover=cover, mark=mark))
    rows = read_manifest(tmp_path / "out")
    lead = len(ToneMark().lead(24000)) / 24000 if mark == "tone" else 0.0
    assert (lead > 1) == (mark == "tone")
    second = next(row["start"] for row in rows if row["chapter"] == 1)
    with av.open(str(tmp_path / "out/book.m4b")) as file:
        chapters = file.chapters()
        assert len(file.streams.video) == 1
    assert [chapter["metadata"]["title"] for chapter in chapters] == ["One", "Two"]
    starts = [float(chapter["start"] * chapter["time_base"]) for chapter in chapters]
    assert starts == pytest.approx([0.0, second + lead], abs=0.002)  # the mark belongs to the first
    assert float(chapters[-1]["end"] * chapters[-1]["time_base"]) == pytest.approx(report.seconds + lead, abs=0.002)


@pytest.mark.parametrize(("name", "level"), [("r128-16", -16.0), ("r128-18", -18.0), ("r128-23", -23.0)])
def test_loudness_is_within_half_a_unit_of_the_target(tmp_path: Path, name: str, level: float) -> None:
    go(tmp_path, BookOptions(formats=("wav", "flac"), loudness=name))
    for form in ("wav", "flac"):
        samples, rate = soundfile.read(tmp_path / f"out/book.{form}", dtype="float32")
        assert levels([samples], rate).lufs == pytest.approx(level, abs=0.5)
        facts = json.loads((tmp_path / f"out/book.{form}.json").read_text())
        assert facts["loudness"]["after"]["lufs"] == pytest.approx(level, abs=0.5)


def test_acx_is_reported(tmp_path: Path) -> None:
    go(tmp_path, BookOptions(formats=("mp3",), loudness="acx"))
    rules = json.loads((tmp_path / "out/book.mp3.json").read_text())["acx"]["rules"]
    assert {rule["name"]: rule["ok"] for rule in rules} == {"rms": True, "peak": True, "noise_floor": True}


def test_every_kind_is_labelled_and_has_a_sidecar(tmp_path: Path) -> None:
    kinds = ("wav", "flac", "opus", "mp3", "m4b")
    report = go(tmp_path, BookOptions(formats=kinds, chapters=True))
    sounds = [Path(path) for path in report.outputs if not path.endswith((".srt", ".vtt"))]
    assert len(sounds) == 5 * 3
    lines = sorted((tmp_path / "out/lines").glob("*.flac"))
    for path in [*sounds, *lines]:
        found = read_aigc(path)
        assert found is not None and found["Label"] == "1" and found["ProduceID"], path
    for path in sounds:
        facts = json.loads(Path(f"{path}.json").read_text())
        assert {"voice", "model_sha256", "text_sha256", "parameters", "consent_id", "weights", "AIGC"} <= set(facts)
    assert {row["model_sha256"] for row in read_manifest(tmp_path / "out")} == {facts["model_sha256"]}


def test_chapters_are_files_of_their_own_and_old_ones_go(tmp_path: Path) -> None:
    report = go(tmp_path, BookOptions(chapters=True))
    files = sorted(path.name for path in (tmp_path / "out/chapters").glob("*.flac"))
    assert files == ["001-One.flac", "002-Two.flac"]
    rows = read_manifest(tmp_path / "out")
    second = next(row["start"] for row in rows if row["chapter"] == 1)
    whole, rate = soundfile.read(report.output, dtype="int16")
    part, _ = soundfile.read(tmp_path / "out/chapters/002-Two.flac", dtype="int16")
    assert np.array_equal(whole[round(second * rate) :], part)
    assert cues(tmp_path / "out/chapters/002-Two.srt")[0][0] == pytest.approx(0.5, abs=0.02)
    go(tmp_path, BookOptions(chapters=True), text=BOOK.replace("# Two", "# Three"))
    assert sorted(path.name for path in (tmp_path / "out/chapters").glob("*.flac")) == [
        "001-One.flac",
        "002-Three.flac",
    ]


@pytest.mark.parametrize("mark", ["none", "tone"])
def test_subtitles_follow_the_sound_and_not_the_silence_around_it(tmp_path: Path, mark: str) -> None:
    go(tmp_path, BookOptions(formats=("wav",), mark=mark))
    samples, rate = soundfile.read(tmp_path / "out/book.wav", dtype="float32")
    lead = len(ToneMark().lead(rate)) if mark == "tone" else 0
    loud = np.abs(samples[lead:]) > 0.005
    edges = np.flatnonzero(loud)
    gaps = np.flatnonzero(np.diff(edges) > 0.3 * rate)
    starts = (np.concatenate([[edges[0]], edges[gaps + 1]]) + lead) / rate
    ends = (np.concatenate([edges[gaps], [edges[-1]]]) + lead) / rate
    found = cues(tmp_path / "out/book.srt")
    assert [start for start, _ in found] == pytest.approx(starts, abs=0.03)
    assert [end for _, end in found] == pytest.approx(ends, abs=0.03)


def dub(*slots: tuple[str, str, str]) -> str:
    return "\n".join(f"{n}\n00:00:{a} --> 00:00:{b}\n{text}\n" for n, (a, b, text) in enumerate(slots, start=1))


def test_dubbing_starts_with_its_slots_and_speeds_up_what_is_too_long(tmp_path: Path) -> None:
    text = dub(
        ("02,000", "05,000", "Fits as it is."), ("06,000", "08,000", "x" * 50), ("09,000", "12,000", "Later on.")
    )
    report = go(tmp_path, BookOptions(formats=("wav",)), "film.srt", text)
    assert report.warnings == []
    found = cues(tmp_path / "out/film.srt")
    assert [start for start, _ in found] == pytest.approx([2, 6, 9], abs=0.03)
    assert found[1][1] <= 8.03 and found[1][1] > 7.5  # by itself it would last three seconds
    assert found[0][1] == pytest.approx(2 + 0.06 * 14, abs=0.03)  # not drawn out
    assert (
        go(
            tmp_path,
            BookOptions(formats=("wav",)),
            "film.srt",
            text.replace("09,000", "09,500").replace("12,000", "12,500"),
        ).rendered
        == 0
    )


def test_a_line_that_fits_into_no_slot_is_told_and_the_next_begins_late(tmp_path: Path) -> None:
    text = dub(("01,000", "02,000", "x" * 50), ("02,000", "04,000", "Next."))
    report = go(tmp_path, BookOptions(formats=("wav",)), "film.srt", text)
    assert report.ok
    assert "film.srt, cue 1: 0.5" in report.warnings[0] and "longer than its slot" in report.warnings[0]
    assert "film.srt, cue 2: begins" in report.warnings[1]


def test_a_mark_does_not_move_dubbing(tmp_path: Path) -> None:
    go(tmp_path, BookOptions(formats=("wav",), mark="tone"), "film.srt", dub(("02,000", "05,000", "Fits as it is.")))
    assert cues(tmp_path / "out/film.srt")[0][0] == pytest.approx(2.0, abs=0.03)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"formats": ("ogg",)}, "--format ogg"),
        ({"formats": ()}, "--format"),
        ({"loudness": "loud"}, "--loudness loud"),
        ({"mark": "x"}, "--mark x"),
    ],
)
def test_an_option_that_is_not_known_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        BookOptions(**options)


def test_a_bad_cover_and_watermark_are_told_before_a_line_is_spoken(tmp_path: Path) -> None:
    (tmp_path / "cover.png").write_bytes(b"no")
    for book in (BookOptions(cover=tmp_path / "cover.png"), BookOptions(watermark="none-such")):
        with pytest.raises(UserError):
            go(tmp_path, book, load=load_fake)
    assert not list((tmp_path / ".cache/items/narrate").glob("*.flac"))
