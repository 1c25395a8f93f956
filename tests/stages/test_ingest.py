from __future__ import annotations

import errno
import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import soundfile

from stages import ingest
from stages.ingest import main
from tests.stages.conftest import Project
from voice.audio import read_audio, resample
from voice.consent import write_consent
from voice.contracts import Recordings
from voice.files import sha256_file
from voice.levels import loudness, peak_db
from voice.tables import read_table

Capture = pytest.CaptureFixture[str]


def test_clean_audio_has_the_rate_and_loudness_asked_for_and_the_row_tells(project: Project) -> None:
    project.stage(main)
    wave, rate = read_audio(project.root / "data/demo_en/clean/recording.flac")
    peak, lufs = peak_db(wave), loudness(wave, rate)
    assert rate == 24000 and peak <= -0.99
    assert abs(lufs + 20) < 0.2 or abs(peak + 1) < 0.05
    (row,) = read_table(Path("data/demo_en/recordings.jsonl"), Recordings).to_dict(orient="records")
    assert row["file"] == "recording.flac" and row["seconds"] == 28.0 and row["clean_seconds"] == 28.0


def test_the_same_input_gives_the_same_bytes(project: Project) -> None:
    def outputs() -> list[bytes]:
        project.stage(main)
        return [p.read_bytes() for p in sorted(Path("data/demo_en").rglob("*")) if p.is_file()]

    assert outputs() == outputs()


def test_new_terms_of_consent_leave_what_training_reads_as_it_was_and_a_new_id_does_not(project: Project) -> None:
    def outputs() -> dict[str, bytes]:
        project.stage(main)
        return {p.name: p.read_bytes() for p in sorted(Path("data/demo_en").rglob("*")) if p.is_file()}

    first = outputs()
    used = {"recording.flac": sha256_file(project.raw / "recording.flac")}
    terms = {"expires": date(2999, 1, 1), "purposes": ["train"], "languages": ["en"], "notes": "renewed"}
    consent = write_consent(project.raw, basis="synthetic", scope="tests", **terms)
    assert json.loads(first["consent.json"]) == {"id": consent.id, "recordings": used}
    assert outputs() == first
    write_consent(project.raw, basis="synthetic", scope="tests", id="another-one", **terms)
    changed = outputs()
    assert {name for name in first if first[name] != changed[name]} == {"consent.json"}


def test_consent_that_does_not_allow_training_stops_the_stage(project: Project, capsys: Capture) -> None:
    for terms, rule in (
        ({"purposes": ["speak"]}, "train not granted, only speak"),
        ({"expires": date(2020, 1, 1)}, "expired on 2020-01-01"),
    ):
        write_consent(project.raw, basis="synthetic", scope="tests", id="the-one", **terms)
        assert f"demo_en: consent the-one: {rule}" in project.refused(main, capsys)
    assert not Path("data/demo_en").exists()


def test_stereo_8_bit_at_96_khz_comes_out_as_clean_mono(project: Project) -> None:
    wave, rate = read_audio(project.raw / "recording.flac")
    (project.raw / "recording.flac").unlink()
    high = resample(wave, rate, 96000)
    soundfile.write(project.raw / "recording.wav", np.stack([high, high], 1), 96000, subtype="PCM_U8")
    project.consent()
    project.stage(main)
    (row,) = read_table(Path("data/demo_en/recordings.jsonl"), Recordings).to_dict(orient="records")
    assert (row["sample_rate"], row["channels"], row["clean_rate"]) == (96000, 2, 24000)
    assert soundfile.info("data/demo_en/clean/recording.flac").channels == 1


def test_several_takes_are_joined_in_the_order_of_their_numbers(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "worker_count", lambda: 1)
    wave, rate = read_audio(project.raw / "recording.flac")
    (project.raw / "recording.flac").unlink()
    for name, part in [("take 10.wav", wave[len(wave) // 2 :]), ("take 2.wav", wave[: len(wave) // 2])]:
        soundfile.write(project.raw / name, part, rate)
    project.consent()
    project.stage(main)
    assert list(read_table(Path("data/demo_en/recordings.jsonl"), Recordings)["id"]) == ["take-2", "take-10"]


def replace(project: Project, wave: np.ndarray, rate: int = 24000) -> None:
    soundfile.write(project.raw / "recording.flac", wave, rate)
    project.consent()


def test_19_seconds_are_too_short(project: Project, capsys: Capture) -> None:
    replace(project, read_audio(project.raw / "recording.flac")[0][: 19 * 24000])
    assert "data/raw/demo_en: 19.0 s of audio, ingest.min_seconds is 20" in project.refused(main, capsys)


def test_empty_silent_and_truncated_audio_are_refused(project: Project, capsys: Capture) -> None:
    path = project.raw / "recording.flac"
    data = path.read_bytes()
    replace(project, np.zeros(30 * 24000))
    assert "recording.flac: silent" in project.refused(main, capsys)
    for bad, reason in [(b"", "the file is empty"), (data[: len(data) // 2], "recording.flac: ")]:
        path.write_bytes(bad)
        project.consent()
        assert reason in project.refused(main, capsys)
    assert not Path("data/demo_en/recordings.jsonl").exists()


def test_missing_transcript_recording_and_consent_are_refused(project: Project, capsys: Capture) -> None:
    for name, reason in [("transcript.txt", "no transcript"), ("consent.yaml", "no consent record")]:
        kept = (project.raw / name).read_bytes()
        (project.raw / name).unlink()
        assert reason in project.refused(main, capsys)
        (project.raw / name).write_bytes(kept)
    (project.raw / "transcript.txt").write_text("")
    project.stage(main)  # the words may come from elsewhere: align looks
    (project.raw / "recording.flac").unlink()
    assert "holds no recording" in project.refused(main, capsys)


def test_a_changed_recording_needs_its_consent_renewed(project: Project, capsys: Capture) -> None:
    path = project.raw / "recording.flac"
    path.write_bytes(path.read_bytes() + b"\0")
    assert "sha256 is" in project.refused(main, capsys)


def test_an_unknown_voice_and_a_wrong_key_are_refused(project: Project, capsys: Capture) -> None:
    assert "no voice 'demo_en2' (did you mean demo_en?)" in project.refused(main, capsys, "demo_en2")
    project.edit(lambda params: params["ingest"].update(peak=0))
    assert "params.yaml: ingest.peak: unknown key (did you mean peak_db?)" in project.refused(main, capsys)


def test_a_full_disk_is_one_line(project: Project, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ingest, "write_bytes", full)
    assert "ingest: no space left on device" in project.refused(main, capsys)
