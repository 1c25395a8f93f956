"""The words that stage `align` looks for: the transcript's, a reviewer's in their place, or a recogniser's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.align_items import Listener
from stages.common import ITEMS, VoicePaths, progress
from voice.alignment.jobs import Job, Reader, Segment, share_out
from voice.alignment.spoken import Spoken
from voice.edits import Decisions, Edit
from voice.errors import UserError
from voice.files import sha256_code
from voice.items import ItemCache
from voice.recognise import __file__ as recogniser_code
from voice.recognise import load_recogniser
from voice.text import Reading
from voice.transcripts import Transcript, Utterance, load_transcript


@dataclass(frozen=True)
class Script:
    """Jobs in order, the segments of the voice, and where the words came from."""

    jobs: list[Job]
    segments: Sequence[Segment]
    source: str
    lang: str
    reader: Callable[..., Reading]
    transcript: Transcript
    notes: list[str]

    @property
    def draft(self) -> bool:
        """Whether the words are only a recogniser's."""
        return self.transcript.source_file is None

    def by_segment(self, results: Sequence[tuple[Job, Sequence[Spoken]]]) -> Iterator[tuple[Segment, Job, Spoken]]:
        """The result that holds for each segment: that of words given to it, before that of the transcript."""
        found: dict[str, tuple[Job, Spoken]] = {}
        for job, spoken in sorted(results, key=lambda result: result[0].given):
            found |= {row["id"]: (job, one) for row, one in zip(job.segments, spoken, strict=True)}
        for segment in self.segments:
            yield (segment, *found.get(segment["id"], (_EMPTY, Spoken([], []))))

    def read(self, job: Job, spoken: Spoken, text: str) -> tuple[str, Reading]:
        """Language and reading of a segment's text: the language of most of its words' lines, `auto` when mixed."""
        named = [job.lines[n].lang or self.lang for n in spoken.words]
        lang = max(sorted(set(named)), key=named.count)
        reading = self.reader(text, lang)
        found = set(reading.langs)
        if lang == "auto" and len(found) == 1:
            (only,) = found
            if self.reader(text, only).ids == reading.ids:
                return only, reading
        return lang, reading

    def account(self, decisions: Decisions) -> dict[str, Any]:
        """What coverage.json says besides counts."""
        return {
            "transcript": self.source,
            "draft": self.draft,
            "faults": [{"where": f.where, "reason": f.reason, "detail": f.detail} for f in self.transcript.faults],
            "edits": {
                "applied": len(decisions.by_segment),
                "stale": [_shown(edit) for edit in decisions.stale],
                "idle": [_shown(edit) for edit in decisions.idle],
            },
        }


_EMPTY = Job((), (), ())


def transcript_jobs(
    place: VoicePaths,
    segments: Sequence[Segment],
    files: Mapping[str, str],
    decisions: Decisions,
    lang: str,
    read: Callable[..., Reading],
    listener: Listener,
    recogniser: str,
    threads: int,
) -> Script:
    """The script of a voice; `files` has the path of each recording's id. Raises UserError."""
    transcript = load_transcript(place.raw, {file: name for name, file in files.items()})
    reader = Reader(read, lang, listener.aligner.units)
    corrected = {name: d.text for name, d in decisions.by_segment.items() if d.text is not None}
    jobs: list[Job] = []
    if transcript.source_file is not None:
        jobs = share_out(segments, files, transcript.utterances, reader)
    else:
        untold = [segment for segment in segments if segment["id"] not in corrected]
        for segment, heard in _recognised(untold, place, listener, lang, recogniser, threads):
            jobs.append(reader.job([segment], [heard], "recogniser"))
    by_id = {segment["id"]: segment for segment in segments}
    for name, text in corrected.items():
        said = Utterance(text, None, None, None, None, f"edits.jsonl: {name}")
        jobs.append(reader.job([by_id[name]], [said], "reviewer"))
    notes = [str(f) for f in transcript.faults] + reader.notes
    notes += [f"an edit of {_shown(edit)} fits no segment and was not applied" for edit in decisions.stale]
    source = transcript.source_file.name if transcript.source_file else f"recognised by {recogniser} (a draft)"
    return Script(jobs, segments, source, lang, read, transcript, notes)


def _recognised(
    segments: Sequence[Segment], place: VoicePaths, listener: Listener, lang: str, model: str, threads: int
) -> Iterator[tuple[Segment, Utterance]]:
    """What a recogniser hears in each segment; segments without words are left out."""
    if not model:
        raise UserError(
            f"{place.raw}: no transcript, and align.recogniser is empty",
            "write transcript.txt, or name a Whisper model in params.yaml",
        )
    hearing = load_recogniser(model, threads=threads)
    cache = ItemCache(ITEMS, "align-recognised", sha256_code(type(place.raw)(recogniser_code)))
    for segment in progress(segments, f"recognise {place.voice}"):
        key = cache.key(listener.hash(segment), hearing.digest, lang)
        file = place.segments / f"{segment['id']}.flac"

        def hear(file: Any = file) -> bytes:
            heard = hearing.hear(file, lang)
            return json.dumps([heard.text, heard.lang], ensure_ascii=False).encode()

        text, found = json.loads(cache.get(key, hear))
        if text:
            yield (
                segment,
                Utterance(text, None, None, None, found if lang == "auto" else None, f"{model}: {segment['id']}"),
            )


def _shown(edit: Edit) -> str:
    return f"{edit.recording} {edit.start:g}-{edit.end:g} s ({edit.action}, {edit.who})"
