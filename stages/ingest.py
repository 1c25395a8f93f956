"""Recordings with consent become clean mono audio of one rate and loudness; unusable ones are listed with a reason."""

from __future__ import annotations

import inspect
import json
import re
import shutil
from pathlib import Path
from typing import Any

from stages.common import ITEMS, VoicePaths, paths, progress, run
from stages.params import Ingest, load_params
from voice.consent import Consent, find_recordings, permit
from voice.consent.weights import ORIGIN_FILE
from voice.contracts import Recordings, RejectedRecordings
from voice.errors import UserError
from voice.files import sha256_code, sha256_file, write_bytes, write_json
from voice.items import ItemCache, map_items, unpack
from voice.recording.clean import CLEAN, ROW, Settings, Task, process
from voice.recording.decode import shown
from voice.recording.enhance import check_installed
from voice.recording.ids import recording_ids
from voice.tables import write_table
from voice.workers import worker_count

LIBRARY = Path(inspect.getfile(ItemCache)).parent
PARTS = ("audio.py", "levels.py", "measures", "recording")
CODE = tuple(LIBRARY / name for name in PARTS)
_FIRST = 3  # rejected files that an error names


def settings(params: Ingest) -> Settings:
    """The same for the library, without `min_seconds`."""
    return Settings(**params.model_dump(exclude={"min_seconds"}))


def _work(
    place: VoicePaths, how: Settings, cache: ItemCache
) -> tuple[Consent, list[dict[str, Any]], list[tuple[str, Task]]]:
    """The consent, the rows so far, and what to compute.

    A row has `id`, `file` and `sha256`, and a reason where it is a link that leaves the folder.
    """
    files = {path.relative_to(place.raw).as_posix(): path for path in find_recordings(place.raw)}
    for path in files.values():
        if not str(path).isprintable() and re.search(r"[\ud800-\udfff]", str(path)):
            raise UserError(f"{ascii(str(path))}: the name is not UTF-8", "rename the file")
    consent = permit(Path(), place.voice, "train")
    print(f"{place.raw}: consent {consent.id} by {consent.basis}, for: {consent.scope}", flush=True)
    rows, work = [], []
    root = place.raw.resolve()
    for file, name in recording_ids(list(files)).items():
        row = {"id": name, "file": file, "sha256": sha256_file(files[file])}
        if not files[file].resolve().is_relative_to(root):
            row |= {"reason": "outside", "detail": "a link that leaves the folder"}
        else:
            key = cache.key(row["sha256"], files[file].suffix.lower(), repr(how))
            work.append((key, Task(files[file], how, cache.folder)))
        rows.append(row)
    return consent, rows, work


def main(voice: str) -> None:
    params, place = load_params().ingest, paths(voice)
    if place.raw.is_dir() and not place.transcript.is_file():
        hint = (
            "put the spoken words there; leave it empty when another transcript holds them, or to have them recognised"
        )
        raise UserError(f"{place.transcript}: no transcript", hint)
    check_installed(params.denoise, params.dereverb)
    cache = ItemCache(ITEMS, "ingest", sha256_code(*CODE))
    consent, rows, work = _work(place, settings(params), cache)
    shutil.rmtree(place.clean, ignore_errors=True)
    values = map_items(cache, work, process, workers=worker_count())
    for row in progress(rows, f"ingest {voice}"):
        if "reason" not in row:
            parts = unpack(next(values))
            row |= json.loads(parts[ROW])
            if CLEAN in parts:
                write_bytes(place.clean / f"{row['id']}.flac", parts[CLEAN])
        print(_line(row), flush=True)
    cache.trim()
    _finish(place, rows, params.min_seconds)
    used = {row["file"]: row["sha256"] for row in rows if "reason" not in row}
    write_json(place.recordings.with_name(ORIGIN_FILE), {"id": consent.id, "recordings": used})
    print(f"{len(rows)} recordings, {cache.misses} computed, {cache.hits} from {cache.folder}", flush=True)


def _finish(place: VoicePaths, rows: list[dict[str, Any]], least: float) -> None:
    """Write both tables. Raises UserError, after that of the rejected ones, when too little is left."""
    good, bad = [row for row in rows if "reason" not in row], [row for row in rows if "reason" in row]
    write_table(place.recordings.with_suffix(".rejected.jsonl"), bad, RejectedRecordings)
    total = sum(row["seconds"] for row in good)
    if total >= least:
        write_table(place.recordings, good, Recordings)
        return
    if not good:
        more = f"; and {len(bad) - 1} more files rejected" if len(bad) > 1 else ""
        raise UserError(f"{shown(place.raw / bad[0]['file'])}: {bad[0]['detail']}{more}", "replace it")
    why = "; ".join(f"{shown(Path(row['file']))}: {row['reason']}" for row in bad[:_FIRST])
    more = f" and {len(bad) - _FIRST} more" if len(bad) > _FIRST else ""
    message = f"{place.raw}: {total:.1f} s of audio, ingest.min_seconds is {least:g}"
    raise UserError(f"{message}; rejected: {why}{more}" if bad else message, "record more of the same voice")


def _line(row: dict[str, Any]) -> str:
    name = shown(Path(row["file"]))
    if "reason" in row:
        return f"{name}: rejected, {row['reason']}: {row['detail']}"
    notes = f", {' '.join(row['notes'])}" if row["notes"] else ""
    return (
        f"{name}: {row['seconds']:.1f} s, {row['sample_rate']} Hz, SNR {row['snr_db']} dB, {row['lufs']} LUFS, "
        f"gain {row['gain_db']:+} dB, clipped runs {row['clipped']}{notes}"
    )


if __name__ == "__main__":
    run(main)
