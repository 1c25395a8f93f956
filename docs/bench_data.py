"""What the data stages compute again, and what they cost, for one voice of many clips.

python docs/bench_data.py --corpus FOLDER [--clips 1000] [--lang en] [--keep FOLDER]

FOLDER holds manifest.jsonl (`file`, `text`, `lang`, `seconds`, `licence` a row) and audio/. A scratch project gets one
voice of these clips, whoever speaks, and a copy of the code. Then ingest, slice, align and features run: cold, again
unchanged, with one clip more, with one text changed, with one clip less; at last each of them from an empty cache,
killed (kill -9) when 30 % of its items are there, and run again. Items computed are counted as new files in the caches.
What comes out at the end must be, byte for byte, what the changes one by one led to; else the script fails.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from voice.consent import write_consent
from voice.files import write_text

CHECKOUT = Path(__file__).resolve().parents[1]
VOICE = "bench"
# Stage -> its caches; the first is the one that a kill waits for.
STAGES = {"ingest": ("ingest",), "slice": ("slice",), "align": ("align-heard", "align"), "features": ("features",)}
LONG, SHORT = 9.5, 2.5  # seconds; others might not become one segment
KILL_AT = 0.3
Clip = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """Cost of one stage: items computed by cache, seconds, and the peak of memory (`resident`)."""

    computed: dict[str, int]
    wall: float
    cpu: float
    peak_mib: float
    killed: bool = False


class Bench:
    """The scratch project and its clips."""

    def __init__(self, root: Path, corpus: Path) -> None:
        self.root, self.corpus = root, corpus
        self.raw = root / "data/raw" / VOICE
        for folder in ("voice", "stages", "models/base/mini"):
            shutil.copytree(CHECKOUT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("dvc.yaml", "lexicon.yaml"):
            shutil.copy(CHECKOUT / name, root / name)
        params = yaml.safe_load((CHECKOUT / "params.yaml").read_text(encoding="utf-8"))
        params |= {"base": "mini", "voices": {VOICE: {"lang": "auto"}}}
        write_text(root / "params.yaml", yaml.safe_dump(params, allow_unicode=True, sort_keys=False))
        self._python("stages.pretrained").wait()

    def give(self, clips: list[Clip]) -> None:
        """Make the voice consist of just these clips."""
        self.raw.mkdir(parents=True, exist_ok=True)
        wanted = {clip["file"] for clip in clips}
        for path in self.raw.glob("*.*"):
            if path.name not in wanted:
                path.unlink()
        for name in wanted:
            if not (self.raw / name).exists():
                shutil.copy(self.corpus / "audio" / name, self.raw / name)
        write_text(self.raw / "transcript.txt", "")
        lines = (f"{clip['file']}|{VOICE}|{clip['lang']}|{clip['text']}\n" for clip in clips)
        write_text(self.raw / "transcript.list", "".join(lines))
        licences = ", ".join(sorted({str(clip.get("licence") or "Apache-2.0") for clip in clips}))
        write_consent(self.raw, basis="licence", scope="benchmark", licence=licences)

    def stage(self, name: str, kill_at: int | None = None) -> Run:
        """Run one stage, killed as soon as its first cache holds `kill_at` values. Fails when it fails."""
        before = {cache: self.items(cache) for cache in STAGES[name]}
        begun, peak, killed = time.perf_counter(), 0.0, False
        process = self._python(f"stages.{name}", "--voice", VOICE)
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            peak = max(peak, resident(process.pid))
            if kill_at is not None and not killed and len(self.items(STAGES[name][0])) >= kill_at:
                process.kill()
                killed = True
            time.sleep(0.05)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begun
        if process.returncode and not killed:
            sys.exit(f"{name}: status {process.returncode}\n{(self.root / 'log').read_text()[-2000:]}")
        if killed:
            time.sleep(0.5)  # its workers end by themselves
        computed = {cache: len(self.items(cache) - old) for cache, old in before.items()}
        return Run(computed, wall, usage.ru_utime + usage.ru_stime, peak, killed)

    def all(self) -> dict[str, Run]:
        """Every stage in order."""
        return {name: self.stage(name) for name in STAGES}

    def items(self, cache: str) -> set[str]:
        """Names of the values in a cache."""
        folder = self.root / ".cache/items" / cache
        return {name for name in os.listdir(folder) if not name.startswith(".")} if folder.is_dir() else set()

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Rows of a table of the voice."""
        lines = (self.root / "data" / VOICE / f"{table}.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line]

    def outputs(self) -> dict[str, str]:
        """sha256 of every output."""
        folder = self.root / "data" / VOICE
        files = (path for path in sorted(folder.rglob("*")) if path.is_file())
        return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def _python(self, *module: str) -> subprocess.Popen[bytes]:
        with (self.root / "log").open("ab") as log:
            return subprocess.Popen([sys.executable, "-m", *module], cwd=self.root, stdout=log, stderr=log)


def resident(pid: int) -> float:
    """Memory of a process and all its children, MiB: resident pages, one shared by n processes counted 1/n in each."""
    try:
        family = [parent := psutil.Process(pid), *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    total = 0
    for process in family:
        try:
            lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
            total += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
    return total / 1024


def show(step: str, runs: dict[str, Run]) -> None:
    """Table rows of one step."""
    for name, run in runs.items():
        counts = ", ".join(
            f"{count} {cache}" if len(run.computed) > 1 else str(count) for cache, count in run.computed.items()
        )
        mark = " (killed)" if run.killed else ""
        print(f"| {step}{mark} | {name} | {counts} | {run.wall:.1f} | {run.cpu:.1f} | {run.peak_mib:.0f} |", flush=True)


def choose(corpus: Path, lang: str | None, count: int) -> list[Clip]:
    """The first clips of a corpus that are long and short enough."""
    lines = (corpus / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    fit = [
        clip
        for clip in map(json.loads, lines)
        if SHORT <= clip["seconds"] <= LONG and "|" not in clip["text"] and lang in (None, clip["lang"])
    ]
    if len(fit) < count:
        sys.exit(f"{corpus}: {len(fit)} clips of {SHORT} to {LONG} s, {count} are wanted")
    return fit[:count]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--lang", help="clips of this language only")
    parser.add_argument("--keep", type=Path, help="an empty folder for the scratch project, which then stays")
    options = parser.parse_args()
    *clips, one_more = choose(options.corpus, options.lang, options.clips + 1)
    root = options.keep or Path(tempfile.mkdtemp(prefix="bench-data-"))
    try:
        measure(Bench(root, options.corpus), clips, one_more)
    finally:
        if options.keep is None:
            shutil.rmtree(root)


def measure(bench: Bench, clips: list[Clip], one_more: Clip) -> None:
    """All steps; prints the table."""
    print("| step | stage | items computed | wall, s | CPU, s | peak memory of all processes, MiB |")
    print("|---|---|---|---|---|---|")
    bench.give(clips)
    show("cold", bench.all())
    tables = ("recordings", "recordings.rejected", "segments", "segments.rejected", "aligned", "aligned.rejected")
    sizes = {name: len(bench.rows(name)) for name in tables}
    show("no change", bench.all())
    clips = [*clips, one_more]
    bench.give(clips)
    show("one clip more", bench.all())
    files = {row["id"]: row["file"] for row in bench.rows("recordings")}
    spoken = files[bench.rows("aligned")[0]["recording"]]
    clips = [clip | {"text": changed(clip["text"])} if clip["file"] == spoken else clip for clip in clips]
    bench.give(clips)
    show("one text changed", bench.all())
    bench.give([*clips[:3], *clips[4:]])
    show("one clip less", bench.all())
    wanted, total = bench.outputs(), len(bench.rows("segments"))
    shutil.rmtree(bench.root / ".cache/items")
    shutil.rmtree(bench.root / "data" / VOICE)
    for name in STAGES:
        show("kill -9 at 30 %", {name: bench.stage(name, int(KILL_AT * total))})
        show("run again", {name: bench.stage(name)})
    found = bench.outputs()
    different = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if different:
        sys.exit(f"outputs differ after the kills: {', '.join(different[:5])} and {len(different)} in all")
    print(f"\nCold: {', '.join(f'{count} {name}' for name, count in sizes.items())}; {os.cpu_count()} cores.")
    print(f"After the kills all {len(found)} output files are the same, byte for byte.")


def changed(text: str) -> str:
    """Another text of the same words."""
    return text.rstrip(".!?。！？ ") + ("。" if text.endswith(("!", "！")) else "！")


if __name__ == "__main__":
    main()
