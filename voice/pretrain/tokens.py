"""Quantiser of the mini base, semantic tokens of the corpus, and which phone is spoken at each token.

The stride-2 projection averages two content frames and turns them towards what tells phones apart (linear
discriminants, with unit spread inside a phone), so that distance in it is distance in what is said; k-means there
gives the codebook. Both are then frozen, as in the published models.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.cluster import MiniBatchKMeans
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch.nn import functional as F
from tqdm import tqdm

from voice.errors import UserError
from voice.files import write_text
from voice.nets.acoustic import AcousticConfig
from voice.nets.hubert import RATE, ContentEncoder
from voice.pretrain.autoencoder import CONNECTED, usable
from voice.pretrain.corpus import Clip, Corpus
from voice.pretrain.frames import frame_head, sounding, walk
from voice.takes import Heard
from voice.text.symbols import SYMBOLS
from voice.text.units import unit_of
from voice.weights import load_tensors, save_tensors

SAMPLED_FRAMES = 120_000
DIRECTIONS = 40  # of at most 101 discriminants; the later ones tell little


def run(args: argparse.Namespace) -> None:
    """Write `quantiser`, `heard` and `tokens.safetensors` and `tokens.jsonl` to `work`."""
    corpus, work, seed, head = Corpus(args.arrays), args.work, args.seed, frame_head(args.work)
    if head is None:
        raise UserError(f"{work}: no frame_head.safetensors", "run `python -m voice.pretrain distil` or `refine` first")
    encoder = ContentEncoder.load(work / "content.safetensors").to(args.device)
    features: list[np.ndarray] = []
    spoken: list[np.ndarray] = []
    units: list[np.ndarray] = []
    kept: list[Clip] = []
    with torch.inference_mode():
        for clip in tqdm(usable(corpus, CONNECTED, args.longest), desc="features", mininterval=10):
            wav = corpus.wav(clip, RATE)
            ssl = encoder.features(torch.from_numpy(wav)[None].to(args.device))[0][0].cpu()
            pairs = len(ssl) // 2
            if len(clip.units) > 0.9 * len(ssl):
                continue
            place, silent = walk(F.log_softmax(head(ssl), dim=-1), clip.phones)
            silent |= ~sounding(wav, len(ssl))
            at = place[1 : 2 * pairs : 2]
            said = np.array([unit_of(SYMBOLS[clip.phones[i]]) or 0 for i in at])
            features.append(ssl[: 2 * pairs].view(pairs, 2, -1).mean(1).numpy().astype(np.float32))
            spoken.append(at)
            units.append(np.where(silent[1 : 2 * pairs : 2], 0, said))
            kept.append(clip)
    flat = np.concatenate(features)
    picked = np.random.default_rng(seed).choice(len(flat), min(SAMPLED_FRAMES, len(flat)), replace=False)
    weight, bias = discriminants(flat[picked], np.concatenate(units)[picked])
    codes, dim = AcousticConfig().codes, flat.shape[1]
    seen = flat[picked] @ weight[:, :DIRECTIONS] + bias[:DIRECTIONS]
    means = MiniBatchKMeans(codes, batch_size=8192, max_iter=100, n_init=2, random_state=seed).fit(seen)
    table = torch.zeros(codes, dim)
    table[:, :DIRECTIONS] = torch.from_numpy(means.cluster_centers_.astype(np.float32))
    kernel = torch.from_numpy(0.5 * weight.T.copy()).unsqueeze(-1).repeat(1, 1, 2)  # mean of the two frames
    quantiser = {
        "ssl_proj.weight": kernel.half(),
        "ssl_proj.bias": torch.from_numpy(bias).half(),
        "quantiser.embed": table.half(),
    }
    save_tensors(work / "quantiser.safetensors", quantiser)
    kernel, offset, table = (t.float() for t in quantiser.values())
    tokens = torch.cat(
        [
            (2 * part @ table.T - table.square().sum(-1)).argmax(-1)
            for part in (torch.from_numpy(flat) @ (2 * kernel[..., 0].T) + offset).split(65536)
        ]
    ).to(torch.int16)
    save_tensors(work / "tokens.safetensors", {"tokens": tokens, "spoken": torch.from_numpy(np.concatenate(spoken))})
    starts = np.cumsum([0, *[len(f) for f in features]])
    rows = [
        json.dumps({"name": c.name, "start": int(s), "size": len(f)})
        for c, s, f in zip(kept, starts[:-1], features, strict=True)
    ]
    write_text(work / "tokens.jsonl", "\n".join(rows) + "\n")
    said = np.concatenate(units)
    Heard.count(tokens.long(), torch.from_numpy(said).long(), codes).save(work / "heard.safetensors")
    report(tokens.numpy(), said, codes, dim)


def discriminants(frames: np.ndarray, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Linear discriminants of frames [N, D] by unit [N]: weight [D, D] and bias [D], zero beyond DIRECTIONS."""
    found = LinearDiscriminantAnalysis(solver="eigen", shrinkage=1e-3).fit(frames, units)
    weight = np.zeros((frames.shape[1], frames.shape[1]), dtype=np.float32)
    weight[:, :DIRECTIONS] = found.scalings_[:, :DIRECTIONS]
    return weight, -(frames.mean(0) @ weight).astype(np.float32)


def report(tokens: np.ndarray, units: np.ndarray, codes: int, dim: int) -> None:
    """Print how much of the spoken unit a token tells: entropy of the unit with and without the token, in bits."""
    joint = np.zeros((codes, int(units.max()) + 1))
    np.add.at(joint, (tokens, units), 1)
    joint /= joint.sum()
    p_code, p_unit = joint.sum(1), joint.sum(0)

    def entropy(p: np.ndarray) -> float:
        p = p[p > 0]
        return float(-(p * np.log2(p)).sum())

    shared = entropy(p_code) + entropy(p_unit) - entropy(joint.ravel())
    print(f"tokens: {len(tokens)} of {dim}-d frames, {(p_code > 0).sum()}/{codes} codes used,", end=" ")
    print(f"unit entropy {entropy(p_unit):.2f} bits, of which a token tells {shared:.2f};", end=" ")
    print(f"the commonest unit of a token is right {100 * joint.max(1).sum():.1f} % of the time")


@dataclass(frozen=True)
class Tokenised:
    """A clip with its semantic tokens and the index of the phone spoken at each, both [T] int64."""

    clip: Clip
    tokens: torch.Tensor
    spoken: torch.Tensor


def load(work: Path, corpus: Corpus) -> list[Tokenised]:
    """Clips with tokens, in the order they were written."""
    arrays, _ = load_tensors(work / "tokens.safetensors")
    by_name = {clip.name: clip for clip in corpus.clips}
    out = []
    for line in (work / "tokens.jsonl").read_text().splitlines():
        row = json.loads(line)
        part = slice(row["start"], row["start"] + row["size"])
        out.append(Tokenised(by_name[row["name"]], arrays["tokens"][part].long(), arrays["spoken"][part].long()))
    return out
