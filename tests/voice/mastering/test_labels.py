"""Facts beside a file, marks that are heard, and watermarks by name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.voice.mastering.sounds import LABEL, RATE, babble
from voice.errors import UserError
from voice.files import sha256_file
from voice.levels import peak_db
from voice.mastering import watermarks
from voice.mastering.encode import write
from voice.mastering.marks import Mark, NoMark, SpokenMark, ToneMark, with_mark
from voice.mastering.tags import Facts, Label, read_aigc, read_tags, write_facts
from voice.mastering.words import one_line

FACTS = Facts("ann", "a" * 64, "b" * 64, {"noise_scale": 0.5}, "consent-1")
WAVE = babble(1)


def test_facts_lie_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.flac"
    label = FACTS.label("示例公司")
    write([WAVE], RATE, path, label=label)
    facts = write_facts(path, FACTS, label, mark="none")
    assert json.loads((tmp_path / "x.flac.json").read_text()) == facts
    assert facts["AIGC"] == read_aigc(path) and facts["AIGC"]["ContentProducer"] == "示例公司"
    assert facts["sha256"] == sha256_file(path) and facts["consent_id"] == "consent-1" and facts["mark"] == "none"


def test_the_number_of_a_content_follows_from_what_made_it() -> None:
    again = Facts("ann", "a" * 64, "b" * 64, {"noise_scale": 0.5}, "consent-1")
    other = Facts("ann", "a" * 64, "b" * 64, {"noise_scale": 0.6}, "consent-1")
    assert FACTS.produce_id() == again.produce_id() != other.produce_id()
    assert len(FACTS.produce_id()) == 32


@given(st.text(), st.text())
def test_a_label_is_one_line_of_ascii_json_whatever_the_names(voice: str, producer: str) -> None:
    text = Label(voice, "1", producer).aigc()
    assert text.isascii() and text.isprintable() and json.loads(text)["Label"] == "1"


@given(st.text(st.characters(), max_size=300))
def test_one_line_is_short_printable_and_settled(text: str) -> None:
    line = one_line(text)
    assert len(line.encode()) <= 240 and len(line.splitlines()) <= 1 and "\0" not in line
    assert one_line(line) == line


def test_a_file_that_is_no_audio_or_has_no_label(tmp_path: Path) -> None:
    (tmp_path / "x.mp3").write_bytes(b"no sound at all")
    with pytest.raises(UserError, match="not readable as audio"):
        read_tags(tmp_path / "x.mp3")
    with pytest.raises(UserError, match="no tags known"):
        read_tags(tmp_path / "x.txt")
    from voice.audio import write_flac

    write_flac(tmp_path / "x.flac", WAVE, RATE)
    assert read_aigc(tmp_path / "x.flac") is None


def test_by_default_there_is_no_mark() -> None:
    np.testing.assert_array_equal(np.concatenate(list(with_mark([WAVE], RATE, NoMark()))), WAVE)


@pytest.mark.parametrize("mark", [ToneMark(), SpokenMark(babble(1, 16000, 0.02), 16000)])
def test_a_mark_stands_where_it_is_asked_for_and_the_speech_is_untouched(mark: Mark) -> None:
    from dataclasses import replace

    for place, where in (("start", (True, False)), ("end", (False, True)), ("both", (True, True))):
        placed = replace(mark, place=place)  # type: ignore[type-var]
        lead, tail = placed.lead(RATE), placed.tail(RATE)
        assert (len(lead) > 0, len(tail) > 0) == where
        whole = np.concatenate(list(with_mark([WAVE], RATE, placed)))
        np.testing.assert_array_equal(whole[len(lead) : len(lead) + len(WAVE)], WAVE)
        assert len(whole) == len(lead) + len(WAVE) + len(tail)


def test_the_tone_is_short_and_soft_in_the_rhythm_short_long_short_short() -> None:
    sound = ToneMark().lead(RATE)
    assert len(sound) / RATE < 2 and peak_db(sound) == pytest.approx(-30, abs=0.2)
    on = np.abs(sound).reshape(-1, RATE // 100).max(axis=1) > 0.003
    runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[0], on.astype(int), [0]]))))[::2]
    assert [length > 15 for length in runs] == [False, True, False, False]


class Faint:
    """A stand-in for a package: adds one thousandth."""

    name = "faint 1.0"

    def embed(self, blocks: Iterable[np.ndarray], rate: int) -> Iterator[np.ndarray]:
        for block in blocks:
            yield block + np.float32(0.001)

    def detect(self, audio: np.ndarray, rate: int) -> float:
        return float(audio.mean() > 0.0005)


def test_a_watermark_is_found_by_name_and_a_missing_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watermarks, "_registered", {})
    with pytest.raises(UserError, match="'silent\\\\nx': no installed package offers it .none is installed"):
        watermarks.find_watermark("silent\nx")
    watermarks.register("faint", Faint)
    mark = watermarks.find_watermark("faint")
    clean = WAVE - WAVE.mean()
    out = np.concatenate(list(mark.embed([clean], RATE)))
    assert mark.detect(out, RATE) == 1.0 and mark.detect(clean, RATE) == 0.0 and watermarks.known() == ["faint"]
    with pytest.raises(UserError, match="installed are: faint"):
        watermarks.find_watermark("other")
    watermarks.register("broken", lambda: __import__("no_such_module_here"))
    with pytest.raises(UserError, match="'broken': its package does not load"):
        watermarks.find_watermark("broken")


def test_label_without_a_voice_of_ascii_is_still_read(tmp_path: Path) -> None:
    label = Label("安\n妮", "7")
    for kind in ("wav", "mp3", "m4b", "opus", "flac"):
        write([WAVE], RATE, tmp_path / f"x.{kind}", label=label)
        assert read_tags(tmp_path / f"x.{kind}")["comment"] == "AI-generated speech: reprovoice voice=安 妮"
    assert LABEL.notice() == "AI-generated speech: reprovoice voice=ann"
