"""Every sound carries its label, in wav and in flac, and the same samples give the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voice.errors import UserError
from voice.files import sha256_file
from voice.label import LabelledFile, read_label, sidecar, write_labelled

RATE = 24000
TONE = (0.5 * np.sin(np.arange(RATE) / 20)).astype(np.float32)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_label_samples_and_facts_are_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    facts = write_labelled(path, TONE, RATE, "ann", {"text": "hi"})
    assert read_label(path) == "AI-generated speech: reprovoice voice=ann"
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == RATE
    np.testing.assert_allclose(samples, TONE, atol=1 / 32768)
    assert json.loads(sidecar(path).read_text()) == facts
    assert facts["sha256"] == sha256_file(path)
    assert facts["text"] == "hi"


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_the_same_samples_give_the_same_bytes_however_they_are_split(tmp_path: Path, suffix: str) -> None:
    with LabelledFile(tmp_path / f"a{suffix}", RATE, "ann") as file:
        file.write(TONE)
    with LabelledFile(tmp_path / f"b{suffix}", RATE, "ann") as file:
        for part in np.split(TONE, 8):
            file.write(part)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_a_failed_block_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), LabelledFile(path, RATE, "ann") as file:
        file.write(TONE)
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.wav"]


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot write \.mp3"):
        LabelledFile(tmp_path / "x.mp3", RATE, "ann")
