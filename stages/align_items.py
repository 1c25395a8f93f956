"""What stage `align` keeps of each item: the frames of a segment, and the words of the segments of a recording."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import torch

from stages.common import ITEMS, progress
from voice.alignment import spoken as spoken_module
from voice.alignment.aligners import Aligner, hear, load_aligner, sound
from voice.alignment.jobs import Job, Segment
from voice.alignment.spoken import Sound, Spoken, align_words, dump, restore, weigh_words
from voice.files import sha256_code, sha256_file
from voice.items import ItemCache, map_items
from voice.workers import worker_count

ALIGNMENT = Path(inspect.getfile(spoken_module)).parent
LIBRARY = ALIGNMENT.parent
HEARD = (ALIGNMENT / "aligners.py", LIBRARY / "nets", *(LIBRARY / name for name in ("audio.py", "levels.py")))
_loaded: dict[str, Aligner] = {}


class Listener:
    """Hears segments with the aligner `name` of a base and aligns jobs, each item once."""

    def __init__(self, name: str, base: Path, folder: Path, threads: int) -> None:
        """`folder` holds the segments' audio."""
        self.aligner = load_aligner(name, base, threads)
        self._setup = partial(_load, name, base, threads, self.aligner.digest)
        self._folder, self._threads = folder, threads
        self.heard = ItemCache(ITEMS, "align-heard", sha256_code(*HEARD))
        self.aligned = ItemCache(ITEMS, "align", sha256_code(ALIGNMENT))
        self.audio: dict[str, str] = {}  # sha256 of each segment's file

    def hash(self, segment: Segment) -> str:
        """sha256 of a segment's audio file."""
        name = segment["id"]
        if name not in self.audio:
            self.audio[name] = sha256_file(self._file(segment))
        return self.audio[name]

    def align(self, jobs: Sequence[Job], label: str) -> Iterable[tuple[Job, list[Spoken]]]:
        """What is said in the segments of each job; frames that are needed are computed on all cores first."""
        keys = [self._key(job) for job in jobs]
        new = [job for job, key in zip(jobs, keys, strict=True) if self.aligned.read(key) is None]
        work = {self._heard_key(segment): self._file(segment) for job in new for segment in job.segments}
        values = map_items(
            self.heard, list(work.items()), _hear, workers=worker_count(self._threads), setup=self._setup
        )
        for _ in progress(values, label, len(work)):
            pass
        for job, key in zip(jobs, keys, strict=True):
            yield job, restore(self.aligned.get(key, partial(self._aligned, job)))
        self.heard.trim()
        self.aligned.trim()

    def counts(self) -> str:
        """What was computed and what was there, for the log."""
        aligned = self.aligned
        return (
            f"{self.heard.misses} segments heard, {aligned.misses} stretches of text aligned, "
            f"{aligned.hits} from {aligned.folder}"
        )

    def _aligned(self, job: Job) -> bytes:
        sounds = [self._sound(segment) for segment in job.segments]
        if job.given:
            return dump([weigh_words(one, job.words, range(len(job.words))) for one in sounds])
        return dump(align_words(sounds, job.words, job.numbers(), job.cues()))

    def _sound(self, segment: Segment) -> Sound:
        data = self.heard.get(self._heard_key(segment), partial(self._hear_here, self._file(segment)))
        return sound(data, self.aligner.quieter, segment["start"], segment["end"])

    def _hear_here(self, file: Path) -> bytes:
        self._setup()
        return _hear(file)

    def _file(self, segment: Segment) -> Path:
        return self._folder / f"{segment['id']}.flac"

    def _heard_key(self, segment: Segment) -> str:
        return self.heard.key(self.hash(segment), self.aligner.digest, self._threads)

    def _key(self, job: Job) -> str:
        heard = [[self._heard_key(segment), segment["start"], segment["end"]] for segment in job.segments]
        text = [[word.token.text, word.units] for word in job.words]
        return self.aligned.key(json.dumps([heard, text, job.numbers(), job.cues(), job.given]))


def _load(name: str, base: Path, threads: int, digest: str) -> None:
    if "now" not in _loaded or _loaded["now"].digest != digest:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(True, warn_only=True)
        _loaded["now"] = load_aligner(name, base, threads)


def _hear(file: Path) -> bytes:
    return hear(_loaded["now"], file)
