"""Recordings with consent and transcript become clean mono audio at one rate and loudness."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from stages.common import paths, progress, run
from stages.params import Ingest, load_params
from voice.audio import channels, read_audio, resample, write_flac
from voice.consent import check_consent, find_recordings
from voice.contracts import Recordings
from voice.errors import UserError
from voice.files import sha256_file
from voice.levels import gain_db, measure, peak_db
from voice.tables import write_table
from voice.transcript import read_transcript

_SILENT_DB = -60.0


def recording_id(path: Path, folder: Path) -> str:
    """A name for tables and files: the path in the voice's folder in small letters, other signs as a dash."""
    name = path.relative_to(folder).with_suffix("").as_posix().lower()
    return re.sub(r"[^a-z0-9]+", "-", name).strip("-") or "recording"


def clean(path: Path, target: Path, params: Ingest) -> dict[str, Any]:
    """Write the clean version of a recording and return its row without `id` and `file`. Raises UserError."""
    wave, rate = read_audio(path)
    before = measure(wave, rate)
    if before.peak_db < _SILENT_DB or before.lufs <= -70:
        raise UserError(
            f"{path}: silent (peak {before.peak_db} dBFS)",
            "record it again, nearer to the microphone",
        )
    centred = resample(wave - np.float32(before.dc), rate, params.sample_rate)
    # The peak is that of the audio as it will be stored: resampling can raise it.
    gain = gain_db(measure(centred, params.sample_rate), params.loudness_lufs, params.peak_db)
    loud = centred * np.float32(10.0 ** (gain / 20.0))
    write_flac(target, loud, params.sample_rate)
    print(
        f"{path}: {before.seconds:.1f} s, {rate} Hz, SNR {before.snr_db} dB, {before.lufs} LUFS, "
        f"gain {gain:+} dB, peak {peak_db(loud):.1f} dBFS, clipped runs {before.clipped}",
        flush=True,
    )
    return {
        "sha256": sha256_file(path),
        "sample_rate": rate,
        "channels": channels(path),
        "gain_db": gain,
        "clean_rate": params.sample_rate,
        "clean_seconds": round(len(loud) / params.sample_rate, 6),
        **vars(before),
    }


def main(voice: str) -> None:
    params, place = load_params().ingest, paths(voice)
    files = find_recordings(place.raw)
    # Looked at only to fail early: nothing written here depends on the words, so it is no dep of this stage.
    read_transcript(place.transcript)
    consent = check_consent(place.raw)
    print(f"{place.raw}: consent by {consent.basis}, for: {consent.scope}", flush=True)
    shutil.rmtree(place.clean, ignore_errors=True)
    rows: dict[str, dict[str, Any]] = {}
    for path in progress(files, f"ingest {voice}"):
        name = recording_id(path, place.raw)
        if name in rows:
            raise UserError(
                f"{path}: its id {name!r} is also that of {rows[name]['file']}",
                "rename one of them",
            )
        file = path.relative_to(place.raw).as_posix()
        rows[name] = {
            "id": name,
            "file": file,
            **clean(path, place.clean / f"{name}.flac", params),
        }
    total = sum(row["seconds"] for row in rows.values())
    if total < params.min_seconds:
        raise UserError(
            f"{place.raw}: {total:.1f} s of audio, ingest.min_seconds is {params.min_seconds:g}",
            "record more of the same voice",
        )
    write_table(place.recordings, rows.values(), Recordings)


if __name__ == "__main__":
    run(main)
