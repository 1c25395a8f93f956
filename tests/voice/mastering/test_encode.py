"""Every kind of file: as long as it should be, labelled, whole or not there, the same bytes each time."""

from __future__ import annotations

import errno
import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from tests.voice.mastering.sounds import LABEL, RATE, babble, decoded, in_parts, picture
from voice.errors import UserError
from voice.label import read_label
from voice.mastering import encode, riff
from voice.mastering.chapters import Chapter
from voice.mastering.cover import cover_of, read_cover
from voice.mastering.encode import write
from voice.mastering.kinds import KINDS, find_kind
from voice.mastering.loudness import TARGETS, levels, master
from voice.mastering.tags import read_aigc, read_tags

NASTY = 'A "q" \\ \n=; \x00 [x]\r\n <b>书\u2028é'
CLEAN = 'A "q" \\ =; [x] <b>书 é'
TAGS = {"title": NASTY, "artist": "Ann; 'B'", "album": "书", "genre": "Audiobook", "date": "2024"}
CHAPTERS = [Chapter(NASTY, 0.0, 1.667), Chapter("", 1.667, 3.333), Chapter("Drei\n", 3.5, 5.0)]
WAVE = babble(5)


@pytest.mark.parametrize("kind", list(KINDS))
def test_sound_tags_and_label_come_back(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f'it\'s a "book" 书.{kind}'
    cover = cover_of(picture())
    done = write(in_parts(WAVE, 999), RATE, path, label=LABEL, tags=TAGS, chapters=CHAPTERS, cover=cover)
    wave, rate = decoded(path)
    assert done.seconds == 5.0 and len(wave) / rate == pytest.approx(5.0, abs=0.05)
    # Opus and AAC dull noise a little; speech keeps its level within 0.2.
    assert levels([wave], rate).lufs == pytest.approx(levels([WAVE], RATE).lufs, abs=0.6)
    tags = read_tags(path)
    assert tags["title"] == CLEAN and tags["artist"] == "Ann; 'B'" and tags["album"] == "书"
    assert tags["comment"] == "AI-generated speech: reprovoice voice=ann"
    aigc = read_aigc(path)
    assert aigc is not None and list(aigc) == [
        "Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2",
    ]  # fmt: skip
    assert aigc["Label"] == "1" and aigc["ProduceID"] == LABEL.produce_id
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", ["opus", "mp3", "m4b", "flac"])
def test_chapters_and_cover_come_back(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"x.{kind}"
    write([WAVE], RATE, path, label=LABEL, chapters=CHAPTERS, cover=cover_of(picture("PNG")))
    with av.open(str(path)) as container:
        found = [(c["metadata"]["title"], float(c["start"] * c["time_base"])) for c in container.chapters()]
        pictures = [(s.codec_context.name, s.width, s.height) for s in container.streams.video]
    assert found == [(CLEAN, 0.0), ("Chapter 2", 1.667), ("Drei", 3.5)]
    assert pictures == [("png", 40, 30)]


def test_an_m4b_of_three_hundred_chapters_has_them_all(tmp_path: Path) -> None:
    path = tmp_path / "x.m4b"
    chapters = [Chapter(f"{'é' * 200} {n}", n / 60, (n + 1) / 60) for n in range(300)]
    write([WAVE], RATE, path, label=LABEL, chapters=chapters)
    with av.open(str(path)) as container:
        found = container.chapters()
        assert container.metadata["major_brand"] == "M4B " and container.metadata["media_type"] == "2"
    assert len(found) == 300
    for chapter, part in zip(chapters, found, strict=True):
        assert float(part["start"] * part["time_base"]) == pytest.approx(chapter.start, abs=0.001)
        assert float(part["end"] * part["time_base"]) == pytest.approx(chapter.end, abs=0.001)
        assert part["metadata"]["title"] == "é" * 120


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_nothing_is_lost_and_other_readers_see_the_label(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"x.{kind}"
    samples = np.random.default_rng(0).integers(-32768, 32767, 50001).astype(np.int16)
    write(in_parts(samples, 777), RATE, path, label=LABEL, tags=TAGS)
    back, rate = soundfile.read(path, dtype="int16")
    np.testing.assert_array_equal(back, samples)
    assert rate == RATE and read_label(path) == LABEL.notice()


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("rate", [24000, 22050])
def test_the_same_samples_give_the_same_bytes_however_they_come(tmp_path: Path, kind: str, rate: int) -> None:
    pair = []
    for name, size in (("a", 333), ("b", 100_000)):
        path = tmp_path / f"{name}.{kind}"
        cover = cover_of(picture())
        pair.append(write(in_parts(WAVE, size), rate, path, label=LABEL, tags=TAGS, chapters=CHAPTERS, cover=cover))
    assert pair[0].sha256 == pair[1].sha256
    assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


@pytest.mark.parametrize("kind", ["opus", "mp3", "m4b"])
@pytest.mark.parametrize("rate", [10000, 32000, 44100, 96000])
def test_rates_that_a_kind_does_not_know_are_raised(tmp_path: Path, kind: str, rate: int) -> None:
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate)).astype(np.float32)
    done = write(in_parts(tone, 10_007), rate, tmp_path / f"x.{kind}", label=LABEL)
    wave, back = decoded(tmp_path / f"x.{kind}")
    assert done.rate >= min(rate, 48000) and len(wave) / back == pytest.approx(2.0, abs=0.06)
    middle = wave[back // 2 : back // 2 + back]
    assert np.abs(np.fft.rfft(middle)).argmax() == pytest.approx(440, abs=1)


@pytest.mark.parametrize("kind", ["flac", "m4b"])
@pytest.mark.parametrize("name", ["r128-16", "r128-18", "r128-23"])
def test_loudness_is_within_half_a_unit_after_coding(tmp_path: Path, kind: str, name: str) -> None:
    wave = babble(10, level=0.6)
    plan = master(lambda: [wave], RATE, TARGETS[name])
    write(plan.apply([wave], RATE), RATE, tmp_path / f"x.{kind}", label=LABEL)
    back, rate = decoded(tmp_path / f"x.{kind}")
    assert levels([back], rate).lufs == pytest.approx(TARGETS[name].level, abs=0.5)


@pytest.mark.parametrize("bits", [64_000, 128_000, 175_000, 192_000, 224_000, 256_000, 320_000])
@pytest.mark.parametrize("rate", [22050, 44100])
def test_mp3_is_as_loud_as_what_went_in_at_any_bit_rate(tmp_path: Path, rate: int, bits: int) -> None:
    tone = (0.99 * np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate)).astype(np.float32)
    write([tone], rate, tmp_path / "x.mp3", label=LABEL, bits=bits)
    back, _ = decoded(tmp_path / "x.mp3")
    middle = slice(rate // 2, rate)
    assert np.sqrt(np.mean(back[middle] ** 2)) == pytest.approx(np.sqrt(np.mean(tone[middle] ** 2)), rel=0.006)


class FullDisk(io.FileIO):
    """A file that refuses all beyond its first 20 000 bytes."""

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > 20_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_full_disk_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = tmp_path / f"x.{kind}"
    path.write_bytes(b"old")
    monkeypatch.setattr(encode, "_open", lambda name: FullDisk(name, "w+"))
    with pytest.raises(OSError) as caught:
        write([babble(20)], RATE, path, label=LABEL)
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"old" and [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", list(KINDS))
def test_lines_that_fail_in_the_middle_leave_no_file(tmp_path: Path, kind: str) -> None:
    def broken() -> Any:
        yield WAVE
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write(broken(), RATE, tmp_path / f"x.{kind}", label=LABEL)
    with pytest.raises(UserError, match="no sound"):
        write([], RATE, tmp_path / f"x.{kind}", label=LABEL)
    assert not list(tmp_path.iterdir())


def test_a_wav_above_its_limit_becomes_rf64_that_others_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(riff, "LIMIT", 100_000)
    samples = np.random.default_rng(0).integers(-32768, 32767, 60_000).astype(np.int16)
    write([samples], RATE, tmp_path / "x.wav", label=LABEL)
    assert (tmp_path / "x.wav").read_bytes()[:4] == b"RF64"
    np.testing.assert_array_equal(soundfile.read(tmp_path / "x.wav", dtype="int16")[0], samples)
    np.testing.assert_array_equal(decoded(tmp_path / "x.wav")[0], samples.astype(np.float32) / 32768)


@pytest.mark.parametrize(
    "chapters",
    [
        [Chapter("a", 1.0, 1.0)],
        [Chapter("a", 0.0, 2.0), Chapter("b", 1.0, 3.0)],
        [Chapter("a", -1.0, 2.0)],
        [Chapter("a", 0.0, 5.2)],
        [Chapter("a", 0.0, float("nan"))],
    ],
)
def test_chapters_that_go_back_or_leave_the_sound_are_refused(tmp_path: Path, chapters: list[Chapter]) -> None:
    with pytest.raises(ValueError, match="chapter"):
        write([WAVE], RATE, tmp_path / "x.m4b", label=LABEL, chapters=chapters)
    assert not list(tmp_path.iterdir())


def test_other_kinds_and_other_samples_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("x.ogg", "x"):
        with pytest.raises(UserError, match="cannot write"):
            write([WAVE], RATE, tmp_path / name, label=LABEL)
    with pytest.raises(ValueError, match="shape"):
        write([WAVE[None]], RATE, tmp_path / "x.wav", label=LABEL)
    with pytest.raises(ValueError, match="not finite"):
        write([np.array([np.nan], np.float32)], RATE, tmp_path / "x.wav", label=LABEL)
    with pytest.raises(ValueError, match="tags colour"):
        write([WAVE], RATE, tmp_path / "x.wav", label=LABEL, tags={"colour": "red"})
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(av, "codecs_available", set())
    with pytest.raises(UserError, match="no encoder libmp3lame"):
        find_kind("mp3")


def test_a_cover_must_be_a_whole_picture(tmp_path: Path) -> None:
    good = picture()
    (tmp_path / "good.jpg").write_bytes(good)
    assert read_cover(tmp_path / "good.jpg").mime == "image/jpeg"
    for data in (b"", b"no picture", picture("GIF"), picture("PNG")[:60], picture("JPEG", (300, 300))[:700]):
        (tmp_path / "bad.jpg").write_bytes(data)
        with pytest.raises(UserError, match="bad.jpg: not a whole JPEG or PNG"):
            read_cover(tmp_path / "bad.jpg")
    with pytest.raises(UserError, match="no such picture"):
        read_cover(tmp_path / "none.jpg")
    with pytest.raises(UserError, match="7000 x 1 pixels"):
        cover_of(picture("PNG", (7000, 1)))
