"""A judge's verdict on the clips, group by group and kept, and the table of them."""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shlex
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench_base_words import edits, faults, words
from tqdm import tqdm

from voice.errors import UserError
from voice.files import sha256_file, write_json, write_text

HEARD_LETTERS = 100  # the judge shows no more of what it heard
_HEARD = re.compile(r"^\d+\.\d+ (.*)$")
Row = dict[str, Any]
Group = tuple[str, str, str, int]  # speaker, way, language, seed


def groups(rows: Sequence[Row]) -> dict[Group, list[Row]]:
    """Rows by speaker, way, language and seed, in the order of the list."""
    found: dict[Group, list[Row]] = {}
    for row in rows:
        found.setdefault((row["speaker"], row["way"], row["lang"], row["seed"]), []).append(row)
    return found


def call(command: str, rows: Sequence[Row], folder: Path, *more: str) -> tuple[str, str]:
    """Standard output and error of `command LIST more...` on these rows; kept in `folder`.

    It is called again when the rows, the command or a script that it names has changed. Raises UserError when it fails.
    """
    parts = shlex.split(command)
    scripts = [sha256_file(Path(part)) for part in parts if part.endswith(".py") and Path(part).is_file()]
    key = hashlib.sha256(json.dumps([list(rows), parts, scripts, more]).encode()).hexdigest()[:24]
    kept, listed = folder / f"{key}.json", folder / f"{key}.jsonl"
    if kept.is_file():
        found = json.loads(kept.read_text(encoding="utf-8"))
        return found["out"], found["err"]
    write_text(listed, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    try:
        done = subprocess.run([*parts, str(listed), *more], capture_output=True, text=True, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{command}: {error.strerror}", "give the command that starts it") from error
    if done.returncode:
        raise UserError(f"{command}: status {done.returncode} on {listed}: {done.stderr[-500:].strip()}")
    write_json(kept, {"out": done.stdout, "err": done.stderr})
    return done.stdout, done.stderr


def read_verdict(out: str, err: str, count: int) -> tuple[Row, list[str]]:
    """The judge's JSON and what it heard, clip by clip. Raises UserError unless there are `count` of the latter."""
    heard = [match[1] for line in err.splitlines() if (match := _HEARD.match(line))]
    if len(heard) != count:
        raise UserError(f"the judge said what it heard in {len(heard)} of {count} clips", "it must know -v")
    return json_line((out.strip().splitlines() or [""])[-1], "the judge's last line"), heard


def json_line(line: str, what: str) -> Row:
    """An object from a line of JSON. Raises UserError when it is none."""
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UserError(f"{what}: {line[:80]!r} is no JSON object")
    return found


def read_second(out: str, rows: Sequence[Row]) -> list[str]:
    """What the second recogniser heard, clip by clip. Raises UserError unless it tells of just these clips."""
    found = [json_line(line, "the second recogniser") for line in out.splitlines()]
    if [one.get("wav") for one in found] != [row["wav"] for row in rows]:
        raise UserError(f"the second recogniser: {len(found)} rows for {len(rows)} clips", "one a clip, in order")
    return [str(one.get("heard", "")) for one in found]


def word_error(rows: Sequence[Row], heard: Sequence[str]) -> float:
    """Share of wrong words, pooled over all rows."""
    meant = [words(row["text"], row["lang"]) for row in rows]
    wrong = sum(edits(said, words(got, row["lang"])) for said, got, row in zip(meant, heard, rows, strict=True))
    return wrong / max(1, sum(map(len, meant)))


def flagged(rows: Sequence[Row], heard: Sequence[str]) -> list[Row]:
    """Sentences in which words were skipped or repeated, with what was heard."""
    found = []
    for row, got in zip(rows, heard, strict=True):
        fault = faults(words(row["text"], row["lang"]), words(got, row["lang"]), cut=len(got) >= HEARD_LETTERS)
        if fault:
            found.append(row | {"heard": got.strip()} | asdict(fault))
    return found


@dataclass(frozen=True)
class Verdict:
    """Of one group: errors and shares in [0, 1], similarity, DNSMOS; None where there is none."""

    sentences: int
    error: float
    similarity: float | None
    ceiling: float | None
    dnsmos: float
    second: float | None
    skips: float


def verdict(group: Group, rows: Sequence[Row], options: argparse.Namespace) -> tuple[Verdict, list[Row]]:
    """The verdict on a group and its flagged sentences."""
    folder = options.out / "judged"
    said, heard = read_verdict(*call(options.judge, rows, folder, "-v"), len(rows))
    faulty, second = flagged(rows, heard), None
    if options.second and group[2] == "en":
        out, _ = call(options.second[1], rows, folder)
        second = word_error(rows, read_second(out, rows))
    # A real utterance is part of what it would be compared with.
    similarity = None if group[1] == "real" else said.get("similarity")
    figures = said["error"], similarity, said.get("ceiling"), said["dnsmos"], second
    return Verdict(len(rows), *figures, skips=len(faulty) / len(rows)), faulty


def median(values: Sequence[float | None]) -> float | None:
    """The median of the values that there are."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def summary(verdicts: dict[Group, Verdict]) -> list[Row]:
    """A row for each speaker, way and language: medians over seeds, and the error beyond that of real utterances."""
    places: dict[tuple[str, str, str], list[Verdict]] = {}
    for (speaker, way, lang, _), one in verdicts.items():
        places.setdefault((speaker, way, lang), []).append(one)
    rows: list[Row] = []
    for (speaker, way, lang), found in places.items():
        row: Row = {"speaker": speaker, "way": way, "lang": lang, "seeds": len(found), "sentences": found[0].sentences}
        for name in ("error", "similarity", "ceiling", "dnsmos", "second", "skips"):
            row[name] = median([getattr(one, name) for one in found])
        row["share"] = row["similarity"] / row["ceiling"] if row["similarity"] and row["ceiling"] else None
        floor = places.get((speaker, "real", lang)) if way != "real" else None
        row["above_real"] = row["error"] - floor[0].error if floor else None
        row["second_above_real"] = row["second"] - floor[0].second if floor and floor[0].second is not None else None
        rows.append(row)
    return rows


def table(rows: Sequence[Row], second: str | None = None) -> str:
    """Markdown of the summary; a dash where there is nothing to tell."""
    head = ["speaker", "way", "language", "seeds x sentences", "word error", "above real", "similarity (ceiling)"]
    head += ["of ceiling", "DNSMOS", *([f"word error, {second}", "above real"] if second else []), "skips"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row in rows:
        cells = [row["speaker"], row["way"], row["lang"], f"{row['seeds']} x {row['sentences']}"]
        cells += [shown(row["error"], "%"), shown(row["above_real"], "points")]
        cells += [f"{shown(row['similarity'])} ({shown(row['ceiling'])})", shown(row["share"], "%")]
        cells += [f"{row['dnsmos']:.2f}"]
        if second:
            cells += [shown(row["second"], "%"), shown(row["second_above_real"], "points")]
        lines.append(f"| {' | '.join([*cells, shown(row['skips'], '%')])} |")
    return "\n".join(lines)


def shown(value: float | None, unit: str = "") -> str:
    """A figure: plain with three digits, as a share in percent, or as points with a sign."""
    if value is None:
        return "-"
    if unit == "points":
        return f"{100 * value:+.1f}"
    return f"{100 * value:.1f} %" if unit else f"{value:.3f}"


def fault_lines(rows: Sequence[Row]) -> list[str]:
    """A line for each flagged sentence."""
    lines = []
    for row in rows:
        parts = [f"{name} {', '.join(row[name])}" for name in ("skipped", "repeated") if row[name]]
        where = f"{row['speaker']} {row['way']} {row['lang']} seed {row['seed']}"
        lines.append(f"- {where}: {'; '.join(parts)}. Text: {row['text']} Heard: {row['heard'] or 'nothing'}")
    return lines


def run(options: argparse.Namespace) -> None:
    """Subcommand `judge`. Raises UserError when there is no list or the judge fails."""
    listed = options.out / "list.jsonl"
    if not listed.is_file():
        raise UserError(f"{listed}: missing", "make the clips with `speak` first")
    rows = [json.loads(line) for line in listed.read_text(encoding="utf-8").splitlines()]
    verdicts: dict[Group, Verdict] = {}
    faulty: list[Row] = []
    for group, some in tqdm(groups(rows).items(), unit="group"):
        verdicts[group], found = verdict(group, some, options)
        faulty += found
    rows = summary(verdicts)
    if options.json:
        print(json.dumps({"rows": rows, "flagged": faulty}, ensure_ascii=False, indent=1))
        return
    print(table(rows, options.second[0] if options.second else None))
    print("\n".join(["", f"Words skipped or said twice: {len(faulty)} clips.", *fault_lines(faulty)]))
