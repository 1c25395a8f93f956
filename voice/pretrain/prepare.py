"""From clips in files to the arrays of `voice.pretrain.corpus`.

A corpus folder holds sub-folders with `manifest.jsonl` (one row a clip: file, speaker, lang, text, seconds, licence)
and `audio/`. Clips are trimmed of outer silence; text becomes phones through the same front end as in synthesis.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from tqdm import tqdm

from voice.errors import UserError
from voice.files import write_text
from voice.librosa_parts import part
from voice.pretrain.corpus import RATES
from voice.text import read_text
from voice.text.units import units_of

MARGIN_S = 0.12  # silence kept at either end


def _decode(job: tuple[Path, dict[str, Any]]) -> tuple[dict[str, Any], list[np.ndarray]] | None:
    """Samples of one manifest row at both rates (int16), with its phones; None when nothing is left of it."""
    path, row = job
    wav, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = soxr.resample(wav.mean(1), rate, RATES[0], quality="HQ")
    _, (begin, end) = part("effects").trim(mono, top_db=40, frame_length=1024, hop_length=240)
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


def run(args: argparse.Namespace) -> None:
    """The corpus below `args.corpus` into `args.work`."""
    prepare(args.corpus, args.work, args.threads or os.cpu_count() or 1)
