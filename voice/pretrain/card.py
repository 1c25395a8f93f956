"""Puts the trained parts into the base folder with a card: data, licences, hours, steps, command, hashes."""

from __future__ import annotations

import argparse
import csv
import json
import shutil
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from voice.errors import UserError
from voice.files import sha256_file, write_json
from voice.pretrain.corpus import Corpus
from voice.weights import load_tensors

FILES = ("content", "semantic", "acoustic", "discriminator", "heard")
ALWAYS = ("autoencoder", "acoustic", "semantic")
PARTS = ("content", "refine", "realign", "distil", *ALWAYS)
LIMIT_BYTES = 32_000_000


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


def trainings(folders: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """`training_of` every part, from `NAME.loss.tsv` in the first of `folders` that has it.

    Raises UserError when a part was not trained, or the content encoder was neither refined nor distilled.
    """
    found = {}
    for name in PARTS:
        for curve in (folder / f"{name}.loss.tsv" for folder in folders):
            if curve.is_file() and name not in found:
                found[name] = training_of(curve)
    missing = [name for name in ALWAYS if name not in found]
    if "refine" not in found and "distil" not in found:
        missing.insert(0, "distil")
    if missing:
        where = folders[0]
        raise UserError(f"{where}: no {missing[0]}.loss.tsv", f"run `python -m voice.pretrain {missing[0]}` first")
    return found


def run(args: argparse.Namespace) -> None:
    """Write weights (float16) and `card.json` to `out`. UserError when one is missing or all are too large."""
    corpus, work, out = Corpus(args.arrays), args.work, args.out
    trained = trainings([work, args.first] if args.first else [work])
    missing = [name for name in FILES if not (work / f"{name}.safetensors").is_file()]
    if missing:
        raise UserError(f"{work}: no {', '.join(missing)}", "train these parts first")
    total = sum((work / f"{name}.safetensors").stat().st_size for name in FILES)
    if total > LIMIT_BYTES:
        raise UserError(f"{work}: weights take {total} bytes, the limit is {LIMIT_BYTES}", "choose smaller sizes")
    out.mkdir(parents=True, exist_ok=True)
    files = {}
    for name in FILES:
        target = out / f"{name}.safetensors"
        shutil.copyfile(work / target.name, target)
        tensors, meta = load_tensors(target)
        files[target.name] = {
            "sha256": sha256_file(target),
            "bytes": target.stat().st_size,
            "parameters": sum(t.numel() for t in tensors.values()),
            "config": meta["config"],
        }
    card = {
        "name": "mini",
        "what": "Small base in the GPT-SoVITS design: English and Mandarin, 24 kHz, 50 frames/s, 25 tokens/s, no BERT",
        "licence": "MIT for the weights; the data keep the licences below",
        "attribution": "LibriSpeech (Panayotov et al. 2015), speechocean762 (Zhang et al. 2021), "
        "AISHELL-1 (Bu et al. 2017), "
        "AISHELL-3 (Shi et al. 2020), audio-cmn (H. Lopez, C. Wang, Y. Tan / Shtooka); synthetic speech by Kokoro-82M",
        "data": data_of(corpus),
        "hours": round(sum(clip.seconds for clip in corpus.clips) / 3600, 2),
        "training": trained,
        "command": "see base/README.md",
        "not_in_the_data": "Kokoro voices am_michael, bf_emma, af_bella, bm_george, zm_yunyang, zf_xiaoxiao; "
        "LibriSpeech test readers",
        "files": files,
    }
    write_json(out / "card.json", card)
    print(json.dumps({"bytes": total, "files": {k: v["sha256"][:12] for k, v in files.items()}}))
