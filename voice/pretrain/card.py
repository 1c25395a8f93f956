"""Puts the trained parts into the base folder with a card: data, licences, hours, steps, command, hashes."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch

from voice.errors import UserError
from voice.files import sha256_file, write_json
from voice.pretrain.corpus import Corpus
from voice.weights import load_tensors

FILES = ("content", "semantic", "acoustic", "discriminator", "heard")
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


def training_of(work: Path, name: str) -> dict[str, Any]:
    """Steps and last measures of one training, from its checkpoint."""
    file = work / name / "checkpoint.pt"
    if not file.is_file():
        raise UserError(f"{file}: no such training", f"run `python -m voice.pretrain {name}` first")
    saved = torch.load(file, map_location="cpu", weights_only=True)
    measured: dict[str, float] = {}
    for row in saved["history"]["rows"]:
        measured |= {k: round(v, 4) for k, v in row.items() if k != "step"}
    return {"steps": saved["step"], "last": measured}


def write_card(work: Path, out: Path) -> None:
    """Write weights (float16) and `card.json` to `out`. UserError when one is missing or all are too large."""
    corpus = Corpus(work)
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
    trained = ("refine", "autoencoder", "acoustic", "semantic")
    card = {
        "name": "mini",
        "what": "Small base in the GPT-SoVITS design: English and Mandarin, 24 kHz, 50 frames/s, 25 tokens/s, no BERT",
        "licence": "MIT for the weights; the data keep the licences below",
        "attribution": "LibriSpeech (Panayotov et al. 2015), speechocean762 (Zhang et al. 2021), "
        "AISHELL-1 (Bu et al. 2017), "
        "AISHELL-3 (Shi et al. 2020), audio-cmn (H. Lopez, C. Wang, Y. Tan / Shtooka); synthetic speech by Kokoro-82M",
        "data": data_of(corpus),
        "hours": round(sum(clip.seconds for clip in corpus.clips) / 3600, 2),
        "training": {name: training_of(work, name) for name in trained},
        "command": "see voice/pretrain/README.md",
        "not_in_the_data": "Kokoro voices am_michael, bf_emma, af_bella, bm_george, zm_yunyang, zf_xiaoxiao; "
        "LibriSpeech test readers",
        "files": files,
    }
    write_json(out / "card.json", card)
    print(json.dumps({"bytes": total, "files": {k: v["sha256"][:12] for k, v in files.items()}}))
