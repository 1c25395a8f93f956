"""Time and memory of the audit by the size of a project: 10,000 utterances, 200 narrations, made up without training.

python docs/bench_audit.py [--utterances 10000] [--narrations 200] [--lines 5] [--kilobytes 20]

The project has the tables, folders and names of a real one. Its stages are one copying command each, so DVC's lock,
cache and record of runs are DVC's own; three versions of it are committed. Each question is asked by the command line
in a process of its own, first with nothing known of any file, then again. Seconds are of the wall, CPU is user and
system time, peak RSS is that of the whole process with its libraries in it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from voice.consent import write_consent
from voice.files import write_json, write_text

VOICE, RECORDINGS, SHARD, VERSIONS = "demo", 20, 100, 3
COPY = """
import pathlib, shutil, sys
for pair in sys.argv[1:]:
    source, target = map(pathlib.Path, pair.split(":"))
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
"""
STAGES: dict[str, tuple[list[str], list[str]]] = {
    # stage: (inputs of its own, outputs); each output is copied from made/
    "ingest": (["data/raw/demo"], ["data/demo/recordings.jsonl"]),
    "slice": (["data/demo/recordings.jsonl"], ["data/demo/segments", "data/demo/segments.jsonl"]),
    "align": (["data/demo/segments", "data/demo/segments.jsonl"],
              ["data/demo/aligned.jsonl", "data/demo/aligned.rejected.jsonl"]),
    "features": (["data/demo/aligned.jsonl", "data/demo/segments"], ["data/demo/features", "data/demo/features.jsonl"]),
    "train_semantic": (["data/demo/features", "data/demo/aligned.jsonl"], ["models/demo/semantic.safetensors"]),
    "train_acoustic": (["data/demo/features", "data/demo/aligned.jsonl"], ["models/demo/acoustic.safetensors"]),
    "evaluate": (["models/demo/semantic.safetensors", "models/demo/acoustic.safetensors"],
                 ["models/demo/metrics.json"]),
}  # fmt: skip


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    write_text(path, "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows))


def noise(path: Path, size: int) -> str:
    """A file of `size` bytes that no other has; its sha256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = hashlib.shake_256(path.name.encode()).digest(size)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def weights(path: Path, step: int, version: int) -> str:
    """A safetensors file with one tensor, that says which step it is of."""
    told = json.dumps({"chosen": {"step": step}, "version": version})
    header = json.dumps(
        {"__metadata__": {"reprovoice": told}, "w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}
    )
    data = len(header).to_bytes(8, "little") + header.encode() + bytes(4)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def make_sources(root: Path, count: int, kilobytes: int) -> None:
    """Recordings, and below made/ what each stage will put out."""
    raw, made = root / "data/raw" / VOICE, root / "made"
    files = [f"part-{number:02d}.flac" for number in range(RECORDINGS)]
    digests = [noise(raw / name, 1 << 20) for name in files]
    write_consent(raw, basis="synthetic", scope="a benchmark")
    names = [name.removesuffix(".flac") for name in files]
    write_rows(made / "data/demo/recordings.jsonl",
               [{"id": i, "file": f, "sha256": d} for i, f, d in zip(names, files, digests, strict=True)])  # fmt: skip
    rows = []
    for number in range(count):
        part, place = names[number % RECORDINGS], number // RECORDINGS
        name = f"{part}-{place:04d}"
        noise(made / f"data/demo/segments/{name}.flac", kilobytes << 10)
        rows.append({"id": name, "recording": part, "start": 5.0 * place, "end": 5.0 * place + 4})
    write_rows(made / "data/demo/segments.jsonl", rows)
    kept = [row for number, row in enumerate(rows) if number % 20]
    phones = {"phones": ["AH0"] * 40, "ids": [12] * 40, "words": ["word"] * 10, "word2ph": [4] * 10}
    write_rows(made / "data/demo/aligned.jsonl", [
        row | phones | {"text": "word " * 10, "lang": "en", "score": 0.9, "draft": False, "edited": False,
                        "split": "held_out" if number % 7 == 0 else "train"}
        for number, row in enumerate(kept)
    ])  # fmt: skip
    write_rows(made / "data/demo/aligned.rejected.jsonl", [
        row | {"text": "word", "score": 0.1, "reason": "low_score", "detail": "0.1 < 0.15"} for row in rows[::20]
    ])  # fmt: skip
    shards = [{"id": row["id"], "shard": f"shard-{n // SHARD:03d}.safetensors"} for n, row in enumerate(kept)]
    write_rows(made / "data/demo/features.jsonl", shards)
    for shard in sorted({row["shard"] for row in shards}):
        noise(made / "data/demo/features" / shard, SHARD * kilobytes << 10)
    write_json(made / "models/demo/metrics.json", {"phone_error": 0.2})


def pipeline() -> str:
    """dvc.yaml."""
    lines = ["stages:"]
    for stage, (deps, outs) in STAGES.items():
        made = [f"made/{out}" for out in outs if out.endswith(".safetensors")]  # what changes between versions
        pairs = " ".join(f"made/{out}:{out}" for out in outs)
        lines += [f"  {stage}:", "    foreach:", f"      {VOICE}: 1", "    do:", f"      cmd: python take.py {pairs}"]
        lines += ["      params:", f"      - {stage}"] if stage.startswith("train") else []
        lines += ["      deps:", *(f"      - {dep}" for dep in [*deps, *made, "take.py"])]
        lines += ["      outs:", *(f"      - {out}" for out in outs)]
    return "\n".join(lines) + "\n"


def run(root: Path, *command: str) -> None:
    names = {f"GIT_{who}_{what}": "bench" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    subprocess.run(command, cwd=root, env={**os.environ, **names, "PATH": path}, check=True, capture_output=True)


def build(root: Path, count: int, kilobytes: int) -> dict[str, str]:
    """The project with its versions; name -> sha256 of the last weights."""
    write_text(root / "take.py", COPY)
    write_text(root / "dvc.yaml", pipeline())
    training = "{batch_size: 4, seed: 1, epochs: 8, accumulate: 1}"
    write_text(root / "params.yaml", f"train_semantic: {training}\ntrain_acoustic: {training}\n")
    write_text(root / ".gitignore", "/data\n/models\n/made\n/.cache\n/told\n")
    make_sources(root, count, kilobytes)
    run(root, "git", "init", "-q")
    run(root, sys.executable, "-m", "dvc", "init", "-q")
    run(root, sys.executable, "-m", "dvc", "config", "core.analytics", "false")
    for version in range(VERSIONS):
        found = {name: weights(root / f"made/models/demo/{name}.safetensors", 2 * count, version)
                 for name in ("semantic", "acoustic")}  # fmt: skip
        run(root, sys.executable, "-m", "dvc", "repro", "-q")
        run(root, "git", "add", "-A")
        run(root, "git", "commit", "-q", "-m", f"version {version}")
    return found


def narrate(root: Path, narrations: int, lines: int, weights: dict[str, str]) -> None:
    """Books of some lines, with the records that a narration leaves."""
    consent = hashlib.sha256((root / "data/raw/demo/consent.yaml").read_bytes()).hexdigest()
    for number in range(narrations):
        folder = root / "told" / f"book-{number:03d}"
        rows = []
        for line in range(lines):
            file = f"lines/{line:04d}-{number:08x}.flac"
            digest = noise(folder / file, 20 << 10)
            rows.append({"index": line, "text": f"Line {line}.", "voice": VOICE, "file": file, "sha256": digest,
                         "key": digest, "consent_id": consent})  # fmt: skip
        write_rows(folder / "manifest.jsonl", rows)
        digest = noise(folder / f"book-{number:03d}.flac", lines * 20 << 10)
        texts = hashlib.sha256("".join(f"{row['text']}\n" for row in rows).encode()).hexdigest()
        facts = {"voice": VOICE, "voices": [VOICE], "sha256": digest, "text_sha256": texts, "weights": weights}
        write_json(folder / f"book-{number:03d}.flac.json", facts | {"consent_id": consent})


def ask(root: Path, *question: str) -> tuple[float, float, float, dict[str, Any]]:
    """Wall seconds, CPU seconds, peak MB, and the answer."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = (
        "import resource, sys\nfrom pipeline.cli import main\ntry:\n    main()\nfinally:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    )
    here = str(Path(__file__).resolve().parents[1])
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code, "audit", *question, "--json"], cwd=root, text=True,
                          capture_output=True, env={**os.environ, "PYTHONPATH": here}, check=False)  # fmt: skip
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if done.returncode != 0:
        sys.exit(f"audit {' '.join(question)}: {done.stderr or done.stdout[:2000]}")
    return wall, cpu, int(done.stderr.split()[-1]) / 1024, json.loads(done.stdout)


def size(answer: dict[str, Any]) -> str:
    """What an answer holds, in words."""
    if "made" in answer:
        return f"{len(answer['utterances'])} utterances, {len(answer['sounds'])} sounds, {len(answer['past'])} versions"
    if "files" in answer:
        return f"{answer['verdict']}, {answer['files']} hashes"
    rows = sum(len(table["rows"]) for table in answer["utterances"])
    return f"{answer['verdict']}, {rows} utterances, {answer['hashes']['read']} read"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, default=10_000)
    parser.add_argument("--narrations", type=int, default=200)
    parser.add_argument("--lines", type=int, default=5)
    parser.add_argument("--kilobytes", type=int, default=20)
    options = parser.parse_args()
    questions = {
        "backward, model": ["models/demo"],
        "backward, narrated line": ["told/book-000/lines/0000-00000000.flac"],
        "forward, recording": ["data/raw/demo/part-03.flac"],
        "forward, consent": ["data/raw/demo/consent.yaml"],
        "verify": ["--verify"],
    }
    table = Table("question", "", "s", "CPU s", "peak MB", "answer")
    with tempfile.TemporaryDirectory(prefix="bench-audit-") as name:
        root = Path(name) / "project"
        root.mkdir()
        narrate(root, options.narrations, options.lines, build(root, options.utterances, options.kilobytes))
        os.sync()  # nothing of the building is left to do
        time.sleep(3)  # files younger than 2 s are read again
        ask(root, "take.py", "--forward")  # Python has compiled the code
        for title, question in questions.items():
            shutil.rmtree(root / ".cache", ignore_errors=True)
            for when in ("first", "again"):
                wall, cpu, peak, answer = ask(root, *question)
                table.add_row(title, when, f"{wall:.2f}", f"{cpu:.2f}", f"{peak:.0f}", size(answer))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
