"""Recordings as people bring them: each fault has its reason or note, and the good ones go on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from stages import ingest
from stages.ingest import main
from tests.stages.conftest import ROOT, Project
from tests.voice.recording.sounds import encode
from voice.audio import read_audio, resample
from voice.contracts import Recordings, RejectedRecordings
from voice.tables import read_table

RATE = 24000
Wave = np.ndarray
Capture = pytest.CaptureFixture[str]


def cut(name: str, write: Callable[[Path, Wave], object]) -> Callable[[Path, Wave], None]:
    """A maker of a file that lost its last third."""

    def make(path: Path, wave: Wave) -> None:
        write(path, wave)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 2 // 3])

    make.__name__ = f"cut_{name}"
    return make


def saved(change: Callable[[Wave], Wave] = lambda wave: wave, rate: int = RATE, **options: Any) -> Callable[..., None]:
    """A maker of a file by soundfile, whatever the suffix says."""

    def make(path: Path, wave: Wave) -> None:
        kind = options.get("format") or {"aif": "AIFF"}.get(path.suffix[1:], path.suffix[1:].upper())
        data = change(wave if rate == RATE else resample(wave, RATE, rate))
        soundfile.write(path, data, rate, **options | {"format": kind})

    return make


def music(wave: Wave) -> Wave:
    """Chords, a second each, with a slow attack."""
    time = np.arange(len(wave)) / RATE
    root = np.array([220.0, 174.6, 261.6, 196.0])[(time % 4).astype(int)]
    envelope = np.minimum(1, 5 * (time % 1)) * (1 - time % 1)
    chord = sum(np.sin(2 * np.pi * root * ratio * k * time) / k for ratio in (1, 1.25, 1.5) for k in (1, 2, 3))
    return (0.1 * envelope * chord).astype(np.float32)


def with_nan(wave: Wave) -> Wave:
    out = wave.copy()
    out[RATE] = np.nan
    return out


def dead(wave: Wave) -> Wave:
    return np.stack([wave, np.random.default_rng(0).normal(0, 1e-5, len(wave)).astype(np.float32)], axis=1)


def hummed(wave: Wave) -> Wave:
    return wave + (0.01 * np.sin(2 * np.pi * 50 * np.arange(len(wave)) / RATE)).astype(np.float32)


REJECTED: dict[str, tuple[str, Callable[[Path, Wave], object]]] = {
    "zero bytes.wav": ("empty", lambda path, _: path.write_bytes(b"")),
    "no samples.wav": ("empty", saved(lambda wave: wave[:0])),
    "text.wav": ("not_audio", lambda path, _: path.write_text("Good morning.\n")),
    "noise.mp3": ("not_audio", lambda path, _: path.write_bytes(bytes(range(1, 200)) * 50)),
    "cut.wav": ("truncated", cut("wav", saved())),
    "cut.flac": ("truncated", cut("flac", saved())),
    "cut.mp3": ("truncated", cut("mp3", saved())),
    "cut.ogg": ("truncated", cut("ogg", saved())),
    "cut.m4a": ("truncated", cut("m4a", lambda path, wave: encode(path, wave, RATE, "aac"))),
    "nan.wav": ("not_finite", saved(with_nan, subtype="FLOAT")),
    "integers.wav": ("out_of_range", saved(lambda wave: wave * 32768, subtype="FLOAT")),
    "silence.wav": ("silent", saved(lambda wave: wave * 0)),
    "almost silence.flac": ("silent", saved(lambda wave: wave * 1e-4, subtype="PCM_24")),
    "blink.wav": ("too_short", saved(lambda wave: wave[: RATE // 3])),
    "slow.wav": ("unsupported", saved(rate=2000)),
}
READ: dict[str, tuple[list[str], dict[str, Any], Callable[[Path, Wave], object]]] = {
    "8 bit.wav": ([], {"format": "WAV PCM_U8"}, saved(subtype="PCM_U8")),
    "24 bit.wav": ([], {"format": "WAV PCM_24"}, saved(subtype="PCM_24")),
    "float.wav": ([], {"format": "WAV FLOAT"}, saved(subtype="FLOAT")),
    "8 kHz.wav": (["narrow_band"], {"sample_rate": 8000}, saved(rate=8000)),
    "upsampled.flac": (
        ["narrow_band"],
        {"sample_rate": RATE, "bandwidth_hz": 4000.0},
        saved(lambda wave: resample(resample(wave, RATE, 8000), 8000, RATE)),
    ),
    "96 kHz.aif": ([], {"sample_rate": 96000, "format": "AIFF PCM_16"}, saved(rate=96000)),
    "dead channel.wav": (["dead_channel"], {"channels": 2}, saved(dead)),
    "inverted.wav": (["inverted_channel"], {"channels": 2}, saved(lambda wave: np.stack([wave, -wave], axis=1))),
    "clipped.wav": (["clipped"], {"peak_db": 0.0}, saved(lambda wave: np.clip(4 * wave, -1, 1))),
    "hum.wav": (["hum"], {"hum_hz": 50}, saved(hummed)),
    "really mp3.wav": (["format_mismatch"], {"format": "MP3 MPEG_LAYER_III"}, saved(format="MP3")),
    "phone.m4a": ([], {"format": "MP4 AAC"}, lambda path, wave: encode(path, wave, RATE, "aac")),
    "browser.webm": ([], {"format": "MATROSKA OPUS"}, lambda path, wave: encode(path, wave, RATE, "libopus")),
    "music.flac": (["narrow_band"], {"speakers": 1}, saved(music)),
    # names
    "a.wav": ([], {"id": "a"}, saved(lambda wave: wave * 0.9)),
    "A.wav": ([], {}, saved(lambda wave: wave * 0.8)),
    'it\'s "two"\nlines.wav': ([], {"id": "it-s-two-lines"}, saved(lambda wave: wave * 0.7)),
    "录音 1.wav": ([], {"id": "1"}, saved(lambda wave: wave * 0.6)),
    "a..b.wav": ([], {"id": "a-b"}, saved(lambda wave: wave * 0.5)),
    "-n %2e%2e.wav": ([], {"id": "n-2e-2e"}, saved(lambda wave: wave * 0.4)),
    "sub folder/a.wav": ([], {"id": "sub-folder-a"}, saved(lambda wave: wave * 0.3)),
}


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute in this process: starting others takes longer than the work."""
    monkeypatch.setattr(ingest, "worker_count", lambda: 1)


def fill(project: Project, makers: dict[str, Callable[[Path, Wave], object]]) -> None:
    """Put the files beside the good recording, with consent for all of them."""
    wave = read_audio(project.raw / "recording.flac")[0][: 7 * RATE]
    for name, make in makers.items():
        (project.raw / name).parent.mkdir(exist_ok=True)
        make(project.raw / name, wave)
    project.consent()


def table(name: str, schema: Any) -> dict[str, dict[str, Any]]:
    return {row["file"]: row for row in read_table(Path("data/demo_en") / name, schema).to_dict(orient="records")}


def test_every_fault_has_its_reason_and_the_good_ones_go_on(alone: None, project: Project, capsys: Capture) -> None:
    fill(project, {name: make for name, (_, make) in REJECTED.items()})
    (project.root / "elsewhere.wav").write_bytes((project.raw / "silence.wav").read_bytes() + b"x")
    (project.raw / "link.wav").symlink_to(project.root / "elsewhere.wav")
    (project.raw / "alias.flac").symlink_to("recording.flac")
    project.consent()
    project.stage(main)
    wanted = {name: reason for name, (reason, _) in REJECTED.items()} | {"link.wav": "outside"}
    found = table("recordings.rejected.jsonl", RejectedRecordings)
    assert {name: row["reason"] for name, row in found.items()} == wanted
    assert set(table("recordings.jsonl", Recordings)) == {"recording.flac", "alias.flac"}
    clean = {path.stem for path in Path("data/demo_en/clean").iterdir()}
    assert clean == {"recording", "alias"}
    out = capsys.readouterr().out
    assert "nan.wav: rejected, not_finite: " in out and "rejected, " in out.split("cut.flac: ")[1]


def test_what_can_be_read_is_with_a_note_of_what_is_odd(alone: None, project: Project) -> None:
    fill(project, {name: make for name, (_, _, make) in READ.items()})
    project.stage(main)
    found = table("recordings.jsonl", Recordings)
    assert set(found) == {*READ, "recording.flac"} and not table("recordings.rejected.jsonl", RejectedRecordings)
    for name, (notes, columns, _) in READ.items():
        row = found[name]
        assert row["notes"] == notes, name
        for column, value in columns.items():
            assert row[column] == pytest.approx(value, abs=130 if column == "bandwidth_hz" else 0.02), (name, column)
        wave, rate = read_audio(Path(f"data/demo_en/clean/{row['id']}.flac"))
        assert rate == RATE and len(wave) / rate == pytest.approx(row["clean_seconds"], abs=1e-4)
    assert found["A.wav"]["id"].startswith("a-") and len(found["A.wav"]["id"]) == 8
    plain, mixed = (found[name] for name in ("24 bit.wav", "dead channel.wav"))
    assert mixed["lufs"] == pytest.approx(plain["lufs"], abs=0.01)


def test_a_second_run_computes_nothing_and_a_new_file_one(alone: None, project: Project, capsys: Capture) -> None:
    fill(project, {"a.wav": saved(), "b.wav": cut("b", saved())})
    counts = []
    for step in range(3):
        if step == 2:
            soundfile.write(project.raw / "c.wav", read_audio(project.raw / "a.wav")[0][: 3 * RATE], RATE)
            project.consent()
        project.stage(main)
        counts.append(capsys.readouterr().out.strip().splitlines()[-1])
    assert [line.split(" recordings, ")[1].split(" from")[0] for line in counts] == [
        "3 computed, 0", "0 computed, 3", "1 computed, 3"
    ]  # fmt: skip


def test_too_little_left_names_the_first_reasons(alone: None, project: Project, capsys: Capture) -> None:
    wave, rate = read_audio(project.raw / "recording.flac")
    soundfile.write(project.raw / "recording.flac", wave[: 12 * rate], rate)
    fill(project, {f"{number}.wav": lambda path, _: path.write_bytes(b"") for number in range(5)})
    line = project.refused(main, capsys)
    assert line.startswith(
        "ingest: data/raw/demo_en: 12.0 s of audio, ingest.min_seconds is 20; rejected: 0.wav: empty; 1.wav: empty; "
        "2.wav: empty and 2 more ("
    )
    assert len(table("recordings.rejected.jsonl", RejectedRecordings)) == 5
    assert not Path("data/demo_en/recordings.jsonl").exists()


def test_a_name_that_is_not_utf_8_is_one_line(project: Project, capsys: Capture) -> None:
    path = os.fsencode(project.raw) + b"/\xff.wav"
    with open(path, "wb") as file:
        file.write((project.raw / "recording.flac").read_bytes())
    assert "the name is not UTF-8 (rename the file)" in project.refused(main, capsys)


def test_an_enhancement_without_its_package_is_one_line(
    project: Project, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voice.recording.enhance.find_spec", lambda name: None)
    project.edit(lambda params: params["ingest"].update(denoise="noisereduce"))
    assert "ingest.denoise = 'noisereduce': the package noisereduce is not installed" in project.refused(main, capsys)
    project.edit(lambda params: params["ingest"].update(denoise="magic"))
    assert "params.yaml: ingest.denoise = 'magic': should be 'none' or 'noisereduce'" in project.refused(main, capsys)


@pytest.mark.slow
def test_two_hours_in_one_file_pass_in_little_memory(project: Project, tmp_path: Path) -> None:
    """The peak of a process of its own, while the file alone is 230 MB of samples at 16 bit."""
    wave, _ = read_audio(project.raw / "recording.flac")
    low = resample(wave, RATE, 16000)
    with soundfile.SoundFile(project.raw / "recording.flac", "w", 16000, 1, compression_level=0.0) as file:
        for _ in range(round(7200 * 16000 / len(low)) + 1):
            file.write(low)
    project.consent()
    script = (
        "import re, sys\n"
        "from stages.common import run\n"
        "from stages.ingest import main\n"
        "sys.argv = ['ingest', '--voice', 'demo_en']\n"
        "run(main)\n"
        # Not ru_maxrss, which begins with what the parent had when it forked.
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env)
    (row,) = table("recordings.jsonl", Recordings).values()
    assert row["seconds"] > 7200 and row["clean_seconds"] == pytest.approx(row["seconds"], abs=1e-3)
    assert int(done.stdout.splitlines()[-1]) < 900 * 1024
