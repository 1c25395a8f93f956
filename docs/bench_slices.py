"""How well recordings with known utterances are cut: stages ingest and slice on each, in a project of their own.

python docs/bench_slices.py FOLDER [--detector webrtc|silero] [--words FOLDER]

FOLDER/<name>/ holds recording.flac, transcript.txt and about.json with `utterance_spans_s`. A frame is 10 ms of the
clean audio; it is loud when within 35 dB of the recording's loudest frame. One row a recording:
- segments, and the length of the shortest and the longest; seconds kept and rejected
- loud kept: share of the loud frames inside the true spans that lie in a segment
- edge: silence at a segment's edge, to its first or from its last loud frame, milliseconds (mean, most)
- beyond: how far a segment reaches past the true spans, milliseconds (most)
- in words: cuts inside a word by other aligners' times, `<name>.ps.json` (pocketsphinx, forced alignment) and
  `<name>.json` (Whisper-base) in the folder of --words, each a list of {word, start, end}; how deep the deepest is, ms

A cut lies inside a word when loud frames of that word lie on both sides of it; the depth is the lesser of the two. So
an aligner that stretches a word over the silence beside it does no harm, and one that begins it inside its neighbour
does, up to its error. Tolerances: 30 ms for pocketsphinx (three of its frames), 180 ms for Whisper, whose word ends are
further than that from pocketsphinx's for one word in ten of these recordings (median 60 ms, 95 %: 240 ms).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

from voice.audio import read_audio
from voice.consent import write_consent
from voice.contracts import RejectedSegments, Segments
from voice.levels import frame_db
from voice.tables import read_table

ROOT = Path(__file__).resolve().parents[1]
STEP = 0.01
LOUD_DB = 35.0
ALIGNERS = {"pocketsphinx": (".ps.json", 0.03), "Whisper": (".json", 0.18)}
COLUMNS = "recording,segments,shortest s,longest s,kept s,rejected s,of s,loud kept %,edge mean,edge most,beyond".split(
    ","
)
Spans = list[tuple[float, float]]


def make_project(folder: Path, sources: list[Path], detector: str) -> None:
    """A project with one voice a source, its own words on how it was agreed to, and this repository's parameters."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["slice"]["detector"] = detector
    params["voices"] = {}
    for source in sources:
        about = json.loads((source / "about.json").read_text(encoding="utf-8"))
        raw = folder / "data/raw" / source.name
        raw.mkdir(parents=True)
        for name in ("recording.flac", "transcript.txt"):
            shutil.copy(source / name, raw / name)
        write_consent(raw, basis="licence", licence=about["licence"], scope="a measurement of stage slice")
        params["voices"][source.name] = {"lang": about["language"]}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, allow_unicode=True), encoding="utf-8")
    shutil.copy(ROOT / "dvc.yaml", folder / "dvc.yaml")


def stage(folder: Path, name: str, voice: str) -> None:
    """Run a stage as DVC would."""
    command = [sys.executable, "-m", f"stages.{name}", "--voice", voice]
    subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)


def inside(spans: Spans, frames: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """True for each frame whose middle lies in one of the spans."""
    middle = (np.arange(frames) + 0.5) * STEP
    return np.any([(middle >= a) & (middle < b) for a, b in spans], axis=0)


def depth(at: float, words: list[dict[str, Any]], loud: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    """Seconds of sound of one word on the side of a cut that has less of it; 0 for a cut in no word."""
    found = 0.0
    for word in words:
        if word["start"] < at < word["end"]:
            first, middle, last = (round(time / STEP) for time in (word["start"], at, word["end"]))
            found = max(found, STEP * min(int(loud[first:middle].sum()), int(loud[middle:last].sum())))
    return found


def measure(source: Path, data: Path, words: Path | None) -> list[str]:
    """The row of one recording after both stages."""
    wave, rate = read_audio(data / "clean/recording.flac")
    level = frame_db(wave, rate // 100)
    loud = level >= level.max() - LOUD_DB
    truth: Spans = json.loads((source / "about.json").read_text(encoding="utf-8"))["utterance_spans_s"]
    table = read_table(data / "segments.jsonl", Segments)
    segments: Spans = list(zip(table["start"], table["end"], strict=True))
    rejected = read_table(data / "segments.rejected.jsonl", RejectedSegments)
    wanted = loud & inside(truth, len(loud))
    edges, beyond = [], [0.0]
    for start, end in segments:
        heard = STEP * np.flatnonzero(loud & inside([(start, end)], len(loud)))
        edges += [float(heard[0]) - start, end - float(heard[-1]) - STEP] if len(heard) else [end - start]
        beyond.append(min((a for a, b in truth if b > start), default=start) - start)
        beyond.append(end - max((b for a, b in truth if a < end), default=end))
    row = [source.name, str(len(segments)), *(f"{f(b - a for a, b in segments):.2f}" for f in (min, max, sum))]
    row += [f"{rejected['seconds'].sum():.2f}", f"{len(wave) / rate:.2f}"]
    row.append(f"{100 * (wanted & inside(segments, len(loud))).sum() / wanted.sum():.2f}")
    row += [f"{1000 * value:.0f}" for value in (np.mean(edges), max(edges), max(beyond))]
    for suffix, tolerance in ALIGNERS.values():
        path = words / f"{source.name}{suffix}" if words else None
        if path is None or not path.is_file():
            row.append("")
            continue
        times = json.loads(path.read_text(encoding="utf-8"))
        depths = [depth(at, times, loud) for span in segments for at in span]
        row.append(f"{sum(value > tolerance for value in depths)} of {len(depths)}, {1000 * max(depths):.0f} ms")
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--detector", default="webrtc")
    parser.add_argument("--words", type=Path)
    options = parser.parse_args()
    sources = sorted(path.parent for path in options.folder.glob("*/about.json"))
    table = Table(*COLUMNS, *(f"in words, {name}" for name in ALIGNERS))
    with tempfile.TemporaryDirectory() as temporary:
        project = Path(temporary)
        make_project(project, sources, options.detector)
        for source in sources:
            for name in ("ingest", "slice"):
                stage(project, name, source.name)
            table.add_row(*measure(source, project / "data" / source.name, options.words))
    Console(width=200).print(table)


if __name__ == "__main__":
    main()
