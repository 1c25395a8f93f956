"""Puts the trained parts into the base folder with a card: data, origin, licences, hours, steps, hashes."""

from __future__ import annotations

import argparse
import csv
import json
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

from voice.errors import UserError
from voice.files import sha256_file, write_json, write_text
from voice.pretrain import whisper_licence
from voice.pretrain.corpus import Corpus
from voice.weights import load_tensors

FILES = ("content", "semantic", "acoustic", "texture", "heard")
ALWAYS = ("units", "envelope", "acoustic", "semantic")
PARTS = ("content", "realign", *ALWAYS)
LIMIT_BYTES = 32_000_000
ABOUT = {
    "name": "mini",
    "what": "Small base in the GPT-SoVITS design: English and Mandarin, 24 kHz, 50 frames/s, 25 tokens/s, no BERT",
    "licence": "MIT for the weights; the data keep the licences below",
    "weights": [whisper_licence.ENTRY],
    "attribution": "LibriSpeech (Panayotov et al. 2015), speechocean762 (Zhang et al. 2021), "
    "AISHELL-1 (Bu et al. 2017), "
    "AISHELL-3 (Shi et al. 2020), audio-cmn (H. Lopez, C. Wang, Y. Tan / Shtooka); synthetic speech by Kokoro-82M",
    "command": "see voice/pretrain/README.md and base/README.md",
    "not_in_the_data": "Kokoro voices am_michael, bf_emma, af_bella, bm_george, zm_yunyang, zf_xiaoxiao; "
    "LibriSpeech test readers",
}


def data_of(corpus: Corpus) -> list[dict[str, Any]]:
    """Minutes, clips and speakers of the corpus by language, kind and licence."""
    groups: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
    for clip in corpus.clips:
        groups[(clip.lang, clip.kind, clip.licence)].append(clip)
    return [
        {
            "language": lang,
            "kind": kind,
            "licence": licence,
            "clips": len(clips),
            "speakers": len({clip.speaker for clip in clips}),
            "minutes": round(sum(clip.seconds for clip in clips) / 60, 1),
        }
        for (lang, kind, licence), clips in sorted(groups.items())
    ]


def training_of(curve: Path) -> dict[str, Any]:
    """Steps and last measures of one training, from the table of its losses."""
    with curve.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    if not rows:
        raise UserError(f"{curve}: an empty table", "train this part again")
    measured = {key: round(float(value), 4) for row in rows for key, value in row.items() if value and key != "step"}
    return {"steps": int(rows[-1]["step"]), "last": measured}


def trainings(folders: Sequence[Path], before: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """`training_of` every part, from `NAME.loss.tsv` in the first of `folders` that has it, else what `before` says.

    Raises UserError when one of ALWAYS was not trained.
    """
    found = {}
    for name in PARTS:
        for curve in (folder / f"{name}.loss.tsv" for folder in folders):
            if curve.is_file() and name not in found:
                found[name] = training_of(curve)
        if name not in found and before and name in before:
            found[name] = before[name]
    if missing := [name for name in ALWAYS if name not in found]:
        where = folders[0]
        raise UserError(f"{where}: no {missing[0]}.loss.tsv", f"run `python -m voice.pretrain {missing[0]}` first")
    return found


def file_of(path: Path) -> dict[str, Any]:
    """What the card says of a weight file; a matrix in few bits counts with the values it stands for."""
    tensors, meta = load_tensors(path)
    packed = meta.get("packed", {})
    plain = {name: t for name, t in tensors.items() if name.removesuffix(".data").removesuffix(".scales") not in packed}
    return {
        "sha256": sha256_file(path),
        "bytes": path.stat().st_size,
        "parameters": sum(t.numel() for t in plain.values()) + sum(prod(how["shape"]) for how in packed.values()),
        "config": meta["config"],
    }


def run(args: argparse.Namespace) -> None:
    """Write weights, `card.json` and the licence of Whisper's layers to `out`.

    With `start` the card of that base tells of the parts that were not trained here.
    Raises UserError when a file is missing or all are too large.
    """
    corpus, work, out = Corpus(args.arrays), args.work, args.out
    before = None if args.start is None else json.loads((args.start / "card.json").read_text(encoding="utf-8"))
    trained = trainings([work, args.first] if args.first else [work], before and before["training"])
    missing = [name for name in FILES if not (work / f"{name}.safetensors").is_file()]
    if missing:
        raise UserError(f"{work}: no {', '.join(missing)}", "train these parts first")
    total = sum((work / f"{name}.safetensors").stat().st_size for name in FILES)
    if total > LIMIT_BYTES:
        raise UserError(f"{work}: weights take {total} bytes, the limit is {LIMIT_BYTES}", "choose smaller sizes")
    out.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(work / f"{name}.safetensors", out / f"{name}.safetensors")
    write_text(out / whisper_licence.FILE, whisper_licence.TEXT)
    files = {f"{name}.safetensors": file_of(out / f"{name}.safetensors") for name in FILES}
    found = {"data": data_of(corpus), "hours": round(sum(clip.seconds for clip in corpus.clips) / 3600, 2)}
    write_json(out / "card.json", ABOUT | found | {"training": trained, "files": files})
    print(json.dumps({"bytes": total, "files": {k: v["sha256"][:12] for k, v in files.items()}}))
