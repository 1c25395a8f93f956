"""The training corpus as two flat sample files (24 kHz and 16 kHz) and an index, so that training reads no codec.

A corpus folder holds sub-folders with `manifest.jsonl` (one row a clip: file, speaker, lang, text, seconds, licence)
and `audio/`. Clips are trimmed of outer silence; text becomes phones through the same front end as in synthesis.
"""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import soundfile
import soxr
from tqdm import tqdm

from voice.errors import UserError
from voice.files import write_text
from voice.text import read_text
from voice.text.units import units_of

RATES = (24000, 16000)
MARGIN_S = 0.12  # silence kept at either end


@dataclass(frozen=True)
class Clip:
    """One utterance: where its samples lie (offset and length at each rate) and what it says."""

    name: str
    speaker: str
    lang: str
    kind: str
    licence: str
    rate: int  # rate of the recording before resampling, Hz
    start: dict[int, int]
    size: dict[int, int]
    phones: tuple[int, ...]
    units: tuple[int, ...]

    @property
    def seconds(self) -> float:
        return self.size[RATES[0]] / RATES[0]


def _decode(job: tuple[Path, dict[str, Any]]) -> tuple[dict[str, Any], list[np.ndarray]] | None:
    """Samples of one manifest row at both rates (int16), with its phones; None when nothing is left of it."""
    path, row = job
    wav, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = soxr.resample(wav.mean(1), rate, RATES[0], quality="HQ")
    _, (begin, end) = librosa.effects.trim(mono, top_db=40, frame_length=1024, hop_length=240)
    margin = int(MARGIN_S * RATES[0])
    mono = mono[max(0, begin - margin) : end + margin]
    reading = read_text(row["text"].lower() if row["text"].isupper() else row["text"], row["lang"])
    if len(mono) < RATES[0] // 4 or not reading.phones:
        return None
    mono = mono * min(1.0, 0.95 / float(np.abs(mono).max()))
    arrays = [mono, soxr.resample(mono, RATES[0], RATES[1], quality="HQ")]
    row = row | {"phones": reading.ids, "units": units_of(reading.phones)}
    return row, [(a * 32767).astype(np.int16) for a in arrays]


def prepare(corpus: Path, work: Path, processes: int = 2) -> None:
    """Decode every clip below `corpus` into `work/{24000,16000}.i16` and `work/index.jsonl`."""
    manifests = sorted(corpus.glob("*/manifest.jsonl"))
    if not manifests:
        raise UserError(f"{corpus}: no */manifest.jsonl below it", "give the folder that holds the corpus")
    jobs = []
    for manifest in manifests:
        for line in manifest.read_text().splitlines():
            row = json.loads(line)
            jobs.append((manifest.parent / "audio" / row["file"], row | {"part": manifest.parent.name}))
    work.mkdir(parents=True, exist_ok=True)
    files = [(work / f"{rate}.i16").open("wb") for rate in RATES]
    at = [0 for _ in RATES]
    index = []
    with multiprocessing.Pool(processes) as pool:
        for done in tqdm(pool.imap(_decode, jobs, chunksize=16), total=len(jobs), desc="decode"):
            if done is None:
                continue
            row, arrays = done
            row["start"], row["size"] = list(at), [len(a) for a in arrays]
            for i, array in enumerate(arrays):
                files[i].write(array.tobytes())
                at[i] += len(array)
            index.append(json.dumps(row, ensure_ascii=False))
    for file in files:
        file.close()
    write_text(work / "index.jsonl", "\n".join(index) + "\n")


class Corpus:
    """The prepared corpus: `clips`, and their samples by memory map."""

    def __init__(self, work: Path) -> None:
        if not (work / "index.jsonl").is_file():
            raise UserError(f"{work}: no prepared corpus", "run `python -m voice.pretrain prepare` first")
        self.samples = {rate: np.memmap(work / f"{rate}.i16", dtype=np.int16, mode="r") for rate in RATES}
        self.clips = []
        for line in (work / "index.jsonl").read_text().splitlines():
            row = json.loads(line)
            self.clips.append(
                Clip(
                    name=f"{row['part']}/{row['file']}",
                    speaker=row["speaker"],
                    lang=row["lang"],
                    kind=row.get("kind", "synthetic"),
                    licence=row.get("licence", "Apache-2.0"),
                    rate=row.get("sample_rate", RATES[0]),
                    start=dict(zip(RATES, row["start"], strict=True)),
                    size=dict(zip(RATES, row["size"], strict=True)),
                    phones=tuple(row["phones"]),
                    units=tuple(row["units"]),
                )
            )

    def wav(self, clip: Clip, rate: int) -> np.ndarray:
        """Samples of a clip at 24000 or 16000 Hz, float32 in [-1, 1]."""
        start = clip.start[rate]
        return self.samples[rate][start : start + clip.size[rate]].astype(np.float32) / 32767
