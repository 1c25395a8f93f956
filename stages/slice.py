"""Cut the clean recordings into segments of speech that begin and end in silence."""

from __future__ import annotations

import shutil
from typing import Any

from stages.common import paths, progress, run
from stages.params import load_params
from voice.audio import read_audio, write_flac
from voice.contracts import Recordings, Segments
from voice.errors import UserError
from voice.levels import loudness, peak_db
from voice.tables import read_table, write_table
from voice.vad import FRAME, Limits, cut


def main(voice: str) -> None:
    params, place = load_params().slice, paths(voice)
    if not params.min_seconds < params.target_seconds <= params.max_seconds:
        raise UserError("params.yaml: slice: min_seconds < target_seconds <= max_seconds does not hold")
    limits = Limits(**params.model_dump())
    recordings = read_table(place.recordings, Recordings)
    shutil.rmtree(place.segments, ignore_errors=True)
    rows: list[dict[str, Any]] = []
    for name in progress(list(recordings["id"]), f"slice {voice}"):
        wave, rate = read_audio(place.clean / f"{name}.flac")
        found = cut(wave, rate, limits)
        grid = round(rate * FRAME)
        for number, (start, end) in enumerate(found.kept, start=1):
            piece = wave[start * grid : end * grid]
            segment = f"{name}-{number:04d}"
            write_flac(place.segments / f"{segment}.flac", piece, rate)
            rows.append(
                {
                    "id": segment,
                    "recording": name,
                    "start": round(start * FRAME, 6),
                    "end": round(end * FRAME, 6),
                    "seconds": round((end - start) * FRAME, 6),
                    "recording_seconds": round(len(wave) / rate, 6),
                    "peak_db": round(peak_db(piece), 3),
                    "level_db": round(max(-100.0, loudness(piece, rate)), 3),
                }
            )
        account = found.seconds()
        print(f"{name}: {len(found.kept)} segments; seconds {account}", flush=True)
        for start, end in found.short:
            print(
                f"{name}: dropped {start * FRAME:.2f}-{end * FRAME:.2f} s, under {limits.min_seconds:g} s",
                flush=True,
            )
    if not rows:
        raise UserError(
            f"{place.clean}: no speech of {limits.min_seconds:g} s or more found",
            "listen to the recording",
        )
    write_table(place.segments_table, rows, Segments)


if __name__ == "__main__":
    run(main)
