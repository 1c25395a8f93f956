"""The recall of the quality gate (voice/gate) on clips with injected faults, and its false alarms on untouched ones.

python docs/bench_gate.py --corpus FOLDER --base models/pretrained/mini --scores FILE [--clips 500]
python docs/bench_gate.py --recordings FOLDER --base models/pretrained/mini --scores FILE

The first half of the clips (by hash of their name) is for choosing limits, the second tells how good they are. Of each
group (human and synthetic, by language) the same number is taken, first come by hash of the name, of at most 12 s,
with four words and ten sounds at least, a text that is no draft, and three other clips of the speaker; Chinese
synthetic clips whose text has Latin letters are left out, as their synthesiser did not say these. Each is heard as it
is and with six faults (docs/bench_gate_faults.py). What is expected of a voice comes from three other clips of the
speaker. The place of words is found by the gate's own ear in the untouched clip. Figures are kept in FILE: a run that
was stopped goes on there, and without --corpus and --recordings the tables alone are made.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import bench_gate_report as report
import jieba
import numpy as np
import torch
from bench_gate_faults import FAULTS, Fault, Spoken

from voice.alignment.forced import place_units
from voice.alignment.times import STEP, word_times
from voice.audio import read_audio, resample
from voice.gate.ear import FRAME, Ear, load_ear
from voice.gate.expectation import Clip, Expectation
from voice.gate.limits import Limits
from voice.gate.said import Said, said_words
from voice.gate.scores import measure
from voice.levels import frame_db
from voice.text import read_text

RATE = 16000
LEAST_WORDS, LEAST_SOUNDS = 4, 10
LONGEST = 12.0  # seconds: a line of a narration is a sentence
LATIN = re.compile("[A-Za-z]")  # the synthesiser of the Chinese clips left such letters out
KNOWN = 3  # other clips of the speaker that make the expectation


@dataclass(frozen=True)
class Row:
    """One clip."""

    name: str
    speaker: str
    lang: str
    text: str
    group: str
    file: Path
    span: tuple[float, float] | None = None


def order(name: str) -> int:
    """A fixed order that has nothing to do with the content."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:12], 16)


def corpus_rows(corpus: Path) -> list[Row]:
    """All clips of the corpus whose text is no draft."""
    rows = []
    for folder in sorted(path.parent for path in corpus.glob("*/manifest.jsonl")):
        for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if not row.get("text_is_draft") and row.get("kind") != "isolated word" and row["seconds"] <= LONGEST:
                rows.append(
                    Row(
                        row["file"], row["speaker"], row["lang"], row["text"], f"{folder.name} {row['lang']}",
                        folder / "audio" / row["file"],
                    )
                )  # fmt: skip
    return rows


def recording_rows(recordings: Path) -> list[Row]:
    """All utterances of the recordings, by their true spans."""
    rows = []
    for folder in sorted(path.parent for path in recordings.glob("*/about.json")):
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        lines = [line for line in (folder / "transcript.txt").read_text(encoding="utf-8").splitlines() if line.strip()]
        for number, (text, span) in enumerate(zip(lines, about["utterance_spans_s"], strict=True)):
            name = f"{folder.name}-{number:03d}"
            place = folder / "recording.flac"
            rows.append(Row(name, folder.name, about["language"], text, "recordings", place, tuple(span)))
    return rows


def words_of(row: Row) -> list[Said]:
    """Its words with their sounds."""
    text = row.text.lower() if row.text.isupper() else row.text
    return said_words(read_text(text, row.lang))


def enough(words: Sequence[Said]) -> bool:
    """Whether there are words to exchange."""
    return len(written(words)) >= LEAST_WORDS and sum(len(one.units) for one in words) >= LEAST_SOUNDS


def chosen(rows: Sequence[Row], total: int) -> list[Row]:
    """The same number of each group, the first by `order` with words enough."""
    groups: dict[str, list[Row]] = defaultdict(list)
    clips = Counter(row.speaker for row in rows)
    for row in sorted(rows, key=lambda row: order(row.name)):
        if clips[row.speaker] > KNOWN and not (row.group == "synthetic zh" and LATIN.search(row.text)):
            groups[row.group].append(row)
    picked = []
    for name in sorted(groups):
        fit = (row for row in groups[name] if enough(words_of(row)))
        picked += [row for row, _ in zip(fit, range(total // len(groups)), strict=False)]
    return picked


def sound(row: Row) -> tuple[Any, int]:
    """Samples and rate of a clip."""
    wave, rate = read_audio(row.file)
    if row.span:
        wave = wave[round((row.span[0] - 0.1) * rate) : round((row.span[1] + 0.1) * rate)]
    return wave, rate


def written(words: Sequence[Said]) -> list[tuple[str, int, int]]:
    """Words as people count them, with the sounding words [start, end) they hold: Chinese characters by jieba."""
    found: list[tuple[str, int, int]] = []
    at = 0
    while at < len(words):
        end = at
        while end < len(words) and len(words[end].word) == 1 and not words[end].word.isascii():
            end += 1
            if words[end - 1].pause:
                break
        if end == at:
            found.append((words[at].word, at, at + 1))
            at += 1
            continue
        for word in jieba.lcut("".join(one.word for one in words[at:end])):
            found.append((word, at, at + len(word)))
            at += len(word)
    return found


def spoken(wave: Any, rate: int, words: Sequence[Said], ear: Ear) -> Spoken:
    """The clip with the place of each written word, by forced alignment of the same ear."""
    logs = torch.from_numpy(ear.hear(resample(wave, rate, RATE)))
    placed = place_units(logs, [unit for one in words for unit in one.units])
    spans, at = [], 0
    for one in words:
        spans.append((placed[at].start * FRAME, placed[at + len(one.units) - 1].end * FRAME))
        at += len(one.units)
    merged = [(word, words[a:b], (spans[a][0], spans[b - 1][1])) for word, a, b in written(words)]
    times = word_times([time for _, _, time in merged], frame_db(wave, round(rate * STEP)).astype("float32"))
    return Spoken(
        wave, rate, [word for word, _, _ in merged], [sum(len(o.units) for o in part) for _, part, _ in merged], times
    )


class Study:
    """Takes of clips and their scores, with what is known of each speaker from other clips."""

    def __init__(self, everything: Sequence[Row], ear: Ear) -> None:
        self.ear = ear
        self.by_speaker: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(everything, key=lambda row: order(row.name)):
            self.by_speaker[row.speaker].append(row)

    @lru_cache(maxsize=64)  # noqa: B019 - one study a run
    def known(self, rows: tuple[Row, ...]) -> tuple[list[Any], Expectation]:
        """Sound and words of good clips, and what they make one expect."""
        known = [(one, sound(one), words_of(one)) for one in rows]
        return known, Expectation.of([Clip(*heard, sum(len(w.units) for w in said)) for _, heard, said in known])

    @lru_cache(maxsize=64)  # noqa: B019
    def source(self, row: Row, rate: int) -> Spoken:
        """A clip at `rate` Hz that words are taken from."""
        wave, own = sound(row)
        return spoken(resample(wave, own, rate), rate, words_of(row), self.ear)

    def takes(self, row: Row) -> Iterator[dict[str, Any]]:
        """The clip untouched, then with each fault."""
        words = words_of(row)
        wave, rate = sound(row)
        others = [one for one in self.by_speaker[row.speaker] if one.name != row.name][-KNOWN:]
        known, expected = self.known(tuple(others))
        yield self.scored(row, "untouched", Fault(wave, ""), rate, words, expected)
        clip = spoken(wave, rate, words, self.ear)
        fit = next((one for one, _, said in known if enough(said)), known[0][0])
        other = self.source(fit, rate)
        for name, make in FAULTS.items():
            fault = make(clip, other, random.Random(order(f"{row.name} {name}")))
            yield self.scored(row, name, fault, rate, words, expected)

    def scored(
        self, row: Row, name: str, fault: Fault, rate: int, words: Sequence[Said], expected: Expectation
    ) -> dict[str, Any]:
        """The figures of one take, and the seconds of CPU they took."""
        begun = time.process_time()
        found = measure(fault.wave, rate, words, expected, self.ear)
        return {
            "clip": row.name, "group": row.group, "fault": name, "done": fault.done, "sounds": fault.sounds,
            "cpu": round(time.process_time() - begun, 4), "figures": dict(found.figures), "words": dict(found.words),
        }  # fmt: skip


def measured(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The scores of all takes: those in the file, and those of clips it lacks, which are added to it."""
    torch.set_num_threads(1)
    takes = []
    if options.scores.is_file():
        takes = [json.loads(line) for line in options.scores.read_text(encoding="utf-8").splitlines()]
        whole = {name for name, count in Counter(take["clip"] for take in takes).items() if count == 1 + len(FAULTS)}
        takes = [take for take in takes if take["clip"] in whole]
    done = {take["clip"] for take in takes}
    if not (options.corpus or options.recordings):
        return takes
    rows = corpus_rows(options.corpus) if options.corpus else recording_rows(options.recordings)
    picked = chosen(rows, options.clips)
    names = {row.name for row in picked}
    takes = [take for take in takes if take["clip"] in names]
    study = Study(rows, load_ear(options.ear, options.base))
    with options.scores.open("w", encoding="utf-8") as file:
        for take in takes:
            file.write(json.dumps(take, ensure_ascii=False) + "\n")
        for row in picked:
            if row.name in done:
                continue
            found = list(study.takes(row))
            file.write("".join(json.dumps(take, ensure_ascii=False) + "\n" for take in found))
            file.flush()
            takes += found
    return takes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scores", type=Path, required=True, help="file of figures; clips in it are not heard again")
    parser.add_argument("--corpus", type=Path, help="folders with manifest.jsonl and audio/")
    parser.add_argument("--recordings", type=Path, help="folders with about.json, transcript.txt and recording.flac")
    parser.add_argument("--base", type=Path, help="folder of a base that is set up, with aligner.safetensors")
    parser.add_argument("--clips", type=int, default=500)
    parser.add_argument("--ear", default="base", help="base, or whisper:MODEL")
    parser.add_argument("--better", action="store_true", help="look for better limits on the first half")
    parser.add_argument("--missed", type=int, default=0, help="show so many wrong verdicts of the first half")
    options = parser.parse_args()
    takes = measured(options)
    halves = [[take for take in takes if order(take["clip"]) % 2 == side] for side in (0, 1)]
    if not options.corpus and options.recordings:
        halves = [takes, takes]
    limits = Limits()
    if options.better:
        limits = report.better(halves[0])
        print("limits for the first half:", {figure: limit for (_, figure), limit in limits.changed.items()})
    names = ("all",) if halves[0] is halves[1] else ("first half, on which limits were chosen", "second half")
    for name, half in zip(names, halves, strict=False):
        clips = len({take["clip"] for take in half})
        print(f"\n{name}: {clips} clips\n")
        print(*report.table(half, limits), "", *report.by_size(half, limits), sep="\n")
        for fault in ("untouched", *FAULTS):
            print(f"{fault}: {report.codes(half, limits, fault)}")
    print(f"\n{np.mean([take['cpu'] for take in takes]):.3f} s of CPU a take")
    print(*report.missed(halves[0], limits, options.missed), sep="\n")


if __name__ == "__main__":
    main()
