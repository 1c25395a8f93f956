"""Alignment against the truth: words in their utterance, word times against a second aligner, wrong transcripts caught.

    python docs/bench_alignment.py RECORDINGS [--words FOLDER] [--shuffles 4] [VOICE ...]

Run in a project whose voices went through stage `slice`. RECORDINGS/<voice>/ holds `transcript.txt`, one line an
utterance, and `about.json` with `utterance_spans_s`, start and end of each line. FOLDER/<voice>.json has the words of
a second aligner: a list of {"word", "start", "end"}. The last four columns count the segments set aside: with the true
transcript, with its lines shuffled (segments that got the right text, and those that did not), and with the
transcript of another voice of the same language.
"""

from __future__ import annotations

import argparse
import difflib
import json
import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from stages.align_items import Listener
from stages.common import base_dir, paths
from stages.params import Params, load_params
from voice.alignment.jobs import Job, Reader
from voice.alignment.spoken import Spoken
from voice.alignment.verdict import Bounds, fault
from voice.contracts import Segments
from voice.tables import read_table, rows_of
from voice.text import read_text
from voice.transcript import join, read_transcript
from voice.transcripts import Utterance

Rows = list[tuple[dict[str, Any], list[tuple[int, str]], Spoken, bool]]


class Bench:
    """One voice: its segments, its lines with their spans, and what the aligner makes of lines in any order."""

    def __init__(self, voice: str, truth: Path, params: Params) -> None:
        place = paths(voice)
        self.lang = params.voices[voice].lang
        self.segments = rows_of(read_table(place.segments_table, Segments))
        self.lines = read_transcript(truth / voice / "transcript.txt")
        self.spans = json.loads((truth / voice / "about.json").read_text(encoding="utf-8"))["utterance_spans_s"]
        rules = params.align
        self.listener = Listener(rules.aligner, base_dir(params.base), place.segments, params.threads)
        self.bounds = Bounds(**{name: getattr(rules, name) for name in Bounds.__dataclass_fields__})

    def run(self, lines: Sequence[tuple[int, str]]) -> tuple[Job, Rows]:
        """The job of numbered `lines`, and for each segment its words (line number, text), evidence and acceptance."""
        reader = Reader(partial(read_text, lexicon={}), self.lang, self.listener.aligner.units)
        utterances = [Utterance(text, None, None, None, None, str(number)) for number, text in lines]
        job = reader.job(self.segments, utterances)
        ((_, found),) = self.listener.align([job], "align")
        rows: Rows = []
        for segment, spoken in zip(self.segments, found, strict=True):
            words = [(int(job.lines[n].where), job.words[n].token.core) for n in spoken.words]
            reading = read_text(join([job.words[n].token for n in spoken.words]), self.lang) if words else None
            rate = (len(reading.phones) if reading else 0) / segment["seconds"]
            rows.append((segment, words, spoken, fault(spoken, reading, rate, self.bounds) is None))
        return job, rows


def in_their_line(bench: Bench, job: Job, rows: Rows) -> tuple[int, int]:
    """Words whose middle lies in the span of their line, and all words with a sound."""
    right = 0
    for segment, _, spoken, _ in rows:
        sounding = [n for n in spoken.words if job.words[n].units]
        for n, (start, end, _) in zip(sounding, spoken.times, strict=False):
            first, last = bench.spans[int(job.lines[n].where)]
            right += first - 0.1 <= segment["start"] + (start + end) / 2 <= last + 0.1
    return right, sum(bool(word.units) for word in job.words)


def boundaries(job: Job, rows: Rows, file: Path) -> tuple[int, int]:
    """Word starts and ends within 80 ms of those in `file`, and how many words both have, twice."""
    mine = []
    for segment, _, spoken, _ in rows:
        sounding = [n for n in spoken.words if job.words[n].units]
        for n, (start, end, _) in zip(sounding, spoken.times, strict=False):
            mine.append((job.words[n].token.core, segment["start"] + start, segment["start"] + end))
    other = []
    for row in json.loads(file.read_text(encoding="utf-8")):
        if core := "".join(c for c in row["word"] if c.isalnum()).casefold():
            other.append((core, row["start"], row["end"]))
    near = total = 0
    matcher = difflib.SequenceMatcher(None, [w[0] for w in mine], [w[0] for w in other], autojunk=False)
    for block in matcher.get_matching_blocks():
        for one, two in zip(mine[block.a : block.a + block.size], other[block.b : block.b + block.size], strict=True):
            near += sum(abs(one[side] - two[side]) <= 0.08 for side in (1, 2))
            total += 2
    return near, total


def wrong(true: Rows, rows: Rows) -> tuple[list[bool], list[bool], list[bool]]:
    """Acceptance of segments whose text is right, is wrong in part or whole, and is wrong in more than a tenth."""
    right, differs, badly = [], [], []
    for (_, words, _, _), (_, found, _, accepted) in zip(true, rows, strict=True):
        same = difflib.SequenceMatcher(None, words, found, autojunk=False).ratio()
        (right if words == found else differs).append(accepted)
        if same < 0.9:
            badly.append(accepted)
    return right, differs, badly


def share(flags: Sequence[bool]) -> str:
    """How many are set aside, of how many."""
    return f"{len(flags) - sum(flags)}/{len(flags)}" + (f" ({1 - sum(flags) / len(flags):.1%})" if flags else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("voices", nargs="*")
    parser.add_argument("--words", type=Path)
    parser.add_argument("--shuffles", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0, help="of the first shuffle")
    options = parser.parse_args()
    params = load_params()
    voices = options.voices or sorted(name for name in params.voices if (options.recordings / name).is_dir())
    benches = {name: Bench(name, options.recordings, params) for name in voices}
    totals: dict[str, list[bool]] = {name: [] for name in ("clean", "right", "differs", "badly", "swapped")}
    print(
        "| voice | words in their line | times within 80 ms | true text | shuffled, right | shuffled, wrong | swapped |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, bench in benches.items():
        lines = list(enumerate(bench.lines))
        job, true = bench.run(lines)
        right, words = in_their_line(bench, job, true)
        near = "-"
        if options.words and (file := options.words / f"{name}.json").is_file():
            close, both = boundaries(job, true, file)
            near = f"{close}/{both} ({close / both:.1%})"
        result: dict[str, list[bool]] = {"clean": [row[3] for row in true], "right": [], "differs": [], "badly": []}
        for seed in range(options.seed, options.seed + options.shuffles):
            order = lines.copy()
            random.Random(seed).shuffle(order)
            for key, flags in zip(("right", "differs", "badly"), wrong(true, bench.run(order)[1]), strict=True):
                result[key] += flags
        others = [other for key, other in benches.items() if key != name and other.lang == bench.lang]
        swapped = [row[3] for other in others for row in bench.run(list(enumerate(other.lines)))[1]]
        result["swapped"] = swapped
        for key, flags in result.items():
            totals[key] += flags
        print(
            f"| {name} | {right}/{words} ({right / words:.1%}) | {near} | {share(result['clean'])} "
            f"| {share(result['right'])} | {share(result['differs'])} | {share(swapped)} |",
            flush=True,
        )
    shown = " | ".join(share(totals[key]) for key in ("clean", "right", "differs", "swapped"))
    print(f"| all | | | {shown} |")
    print(f"wrong in more than a tenth of the words: {share(totals['badly'])} set aside")


if __name__ == "__main__":
    main()
