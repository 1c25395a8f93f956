"""Text, phones and word times of each segment, found by aligning the transcript to the sound."""

from __future__ import annotations

from functools import partial
from typing import Any

from stages.align_items import Listener
from stages.align_text import transcript_jobs
from stages.common import base_dir, lexicon_files, paths, run
from stages.params import load_params
from voice.alignment.coverage import coverage
from voice.alignment.jobs import Job
from voice.alignment.spoken import Spoken
from voice.alignment.verdict import Bounds, decided, fault
from voice.contracts import Aligned, Recordings, Rejected, Segments, Words
from voice.edits import EDITS_FILE, apply_edits, read_edits
from voice.errors import UserError
from voice.files import write_json
from voice.split import held_out
from voice.tables import read_table, rows_of, write_table
from voice.text import load_lexicon, read_text
from voice.transcript import join


def main(voice: str) -> None:
    params, place = load_params(), paths(voice)
    rules, lang = params.align, params.voice(voice).lang
    lexicon = load_lexicon(*lexicon_files(voice))
    write_json(place.lexicon, lexicon)
    place.aligned.unlink(missing_ok=True)  # no rows of an earlier run beside a failure of this one
    recordings = read_table(place.recordings, Recordings)
    segments = rows_of(read_table(place.segments_table, Segments))
    decisions = apply_edits(segments, read_edits(place.raw / EDITS_FILE))
    listener = Listener(rules.aligner, base_dir(params.base), place.segments, params.threads)
    files = dict(zip(recordings["id"], recordings["file"], strict=True))
    text = transcript_jobs(
        place,
        segments,
        files,
        decisions,
        lang,
        partial(read_text, lexicon=lexicon),
        listener,
        rules.recogniser,
        params.threads,
    )
    results = list(listener.align(text.jobs, f"align {voice}"))
    bounds = Bounds(**{name: getattr(rules, name) for name in Bounds.__dataclass_fields__})

    good: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    words: list[dict[str, Any]] = []
    for segment, job, spoken in text.by_segment(results):
        name, decision = segment["id"], decisions.by_segment.get(segment["id"])
        row = {key: segment[key] for key in ("id", "recording", "start", "end", "seconds")}
        written = join([job.words[n].token for n in spoken.words])
        language, reading = text.read(job, spoken, written) if spoken.words else (lang, None)
        rate = round((len(reading.phones) if reading else 0) / segment["seconds"], 3)
        row |= {"text": written, "score": spoken.score, "phones_per_second": rate}
        words += word_rows(row, job, spoken)
        if reason := decided(fault(spoken, reading, rate, bounds), decision):
            bad.append(row | {"reason": reason[0], "detail": reason[1]})
            print(f"set aside {name}: {reason[0]}: {reason[1]}: {written!r}", flush=True)
        elif reading is not None:
            spread = {"words": list(reading.words), "word2ph": list(reading.word2ph), "phones": list(reading.phones)}
            flags = {"draft": text.draft, "edited": decision is not None, "lang": language}
            good.append(row | spread | flags | {"ids": list(reading.ids)})
    write_table(place.rejected, bad, Rejected)
    write_table(place.words, words, Words)
    account = coverage(results, good, bad) | text.account(decisions)
    write_json(place.coverage, account)
    for note in text.notes:
        print(f"{place.raw}: {note}", flush=True)
    share = account["coverage"]
    print(
        f"{text.source}: {share:.1%} of {account['words']['total']} words in {len(good)} segments, "
        f"{len(bad)} set aside; {listener.counts()}",
        flush=True,
    )
    if share < rules.min_coverage or len(good) < 2:
        raise UserError(
            f"{place.raw / text.source}: {share:.0%} of its words lie in {len(good)} good segments; needed are "
            f"{rules.min_coverage:.0%} (align.min_coverage) and two segments; see {place.rejected}",
            "check that the transcript is what is spoken",
        )
    held = held_out({row["id"]: listener.audio[row["id"]] for row in good}, rules.holdout, rules.max_holdout)
    write_table(place.aligned, [row | {"split": "held_out" if row["id"] in held else "train"} for row in good], Aligned)
    print(f"held out: {', '.join(sorted(held))}", flush=True)


def word_rows(row: dict[str, Any], job: Job, spoken: Spoken) -> list[dict[str, Any]]:
    """One row a word with a sound: when it is said in the recording, and its score."""
    sounding = [n for n in spoken.words if job.words[n].units]
    return [
        {
            "id": f"{row['id']}.{place:03d}",
            "segment": row["id"],
            "recording": row["recording"],
            "text": job.words[n].token.text,
            "start": round(row["start"] + start, 3),
            "end": round(row["start"] + end, 3),
            "score": score,
        }
        for place, (n, (start, end, score)) in enumerate(zip(sounding, spoken.times, strict=False), start=1)
    ]


if __name__ == "__main__":
    run(main)
