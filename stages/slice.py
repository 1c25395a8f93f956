"""Cut the clean recordings into segments of speech that begin and end in silence; what is set aside is listed."""

from __future__ import annotations

import inspect
import json
import shutil
from pathlib import Path
from typing import Any

from stages.common import ITEMS, paths, progress, run
from stages.params import Slice, load_params
from voice.contracts import Recordings, RejectedSegments, Segments
from voice.errors import UserError
from voice.files import sha256_code, sha256_file, write_bytes
from voice.items import ItemCache, map_items, unpack
from voice.slicing.activity import Sensitivity
from voice.slicing.cuts import Limits
from voice.slicing.detectors import detector
from voice.slicing.segmenter import ROWS, Settings, Task, segment
from voice.tables import read_table, write_table
from voice.workers import worker_count

LIBRARY = Path(inspect.getfile(ItemCache)).parent
PARTS = ("audio.py", "levels.py", "slicing")
CODE = (Path(__file__), *(LIBRARY / name for name in PARTS))
_MEASURED = ("peak_db", "level_db", "snr_db", "clipped")


def settings(params: Slice) -> Settings:
    """The same for the library. Raises UserError where the lengths do not fit each other."""
    if not params.min_seconds < params.target_seconds <= params.max_seconds:
        raise UserError("params.yaml: slice: min_seconds < target_seconds <= max_seconds does not hold")
    values = params.model_dump()
    limits = Limits(**{name: values.pop(name) for name in vars(Limits())})
    sensitivity = Sensitivity(**{name: values.pop(name) for name in vars(Sensitivity())})
    return Settings(limits=limits, sensitivity=sensitivity, **values)


def main(voice: str) -> None:
    place, how = paths(voice), settings(load_params().slice)
    detector(how.detector, how.aggressiveness, how.threshold)  # a missing package is told before any work
    recordings = read_table(place.recordings, Recordings)
    cache = ItemCache(ITEMS, "slice", sha256_code(*CODE))
    work = []
    for name, clipped in zip(recordings["id"], recordings["clipped"], strict=True):
        task = Task(place.clean / f"{name}.flac", how, bool(clipped))
        work.append((cache.key(sha256_file(task.path), repr(how), int(task.clipped)), task))
    shutil.rmtree(place.segments, ignore_errors=True)
    good: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    values = map_items(cache, work, segment, workers=worker_count())
    for name, value in zip(recordings["id"], progress(values, f"slice {voice}", len(work)), strict=True):
        files = unpack(value)
        found = json.loads(files[ROWS])
        for number, span in enumerate(found["spans"], start=1):
            row = _row(f"{name}-{number:04d}", name, span["start"], span["end"])
            if span["reason"]:
                bad.append(row | {"reason": span["reason"], "detail": span["detail"]})
                continue
            write_bytes(place.segments / f"{row['id']}.flac", files[span["file"]])
            measured = {key: span[key] for key in _MEASURED}
            good.append(row | {"recording_seconds": found["seconds"]} | measured)
        if found["nothing"]:
            row = _row(f"{name}-0000", name, 0.0, found["seconds"])
            bad.append(row | {"reason": "no_speech", "detail": found["nothing"]})
        print(_account(name, found), flush=True)
    rejected = place.segments_table.with_name("segments.rejected.jsonl")
    write_table(rejected, bad, RejectedSegments)
    if not good:
        first = "; ".join(f"{row['recording']}: {row['reason']}: {row['detail']}" for row in bad[:1])
        raise UserError(f"{place.clean}: no segment is left: {first}", f"see {rejected}, then listen to the recording")
    write_table(place.segments_table, good, Segments)
    cache.trim()
    print(f"{len(good)} segments, {cache.misses} computed, {cache.hits} from {cache.folder}", flush=True)


def _row(identity: str, recording: str, start: float, end: float) -> dict[str, Any]:
    span = {"start": start, "end": end, "seconds": round(end - start, 6)}
    return {"id": identity, "recording": recording} | span


def _account(name: str, found: dict[str, Any]) -> str:
    """Where every second of a recording went, and what became of its speech."""
    seconds: dict[str, float] = {"kept": 0.0, "too_short": 0.0}
    for span in found["spans"]:
        reason = span["reason"] or "kept"
        seconds[reason] = seconds.get(reason, 0.0) + span["end"] - span["start"]
    seconds["silence"] = found["silence"]
    parts = " + ".join(f"{value:.2f} {reason}" for reason, value in seconds.items())
    lost = found["speech"] - found["speech_kept"]
    return f"{name}: {found['seconds']:.2f} s = {parts}; speech {found['speech_kept']:.2f} s kept, {lost:.2f} s lost"


if __name__ == "__main__":
    run(main)
