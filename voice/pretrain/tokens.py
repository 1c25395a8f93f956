"""Quantiser of the mini base, semantic tokens of the corpus, and which phone is spoken at each token.

A content frame holds the square roots of the posteriors of what is spoken. The stride-2 projection averages two of
them, and k-means of the averages gives the codebook: distance in it is distance in what is said (Hellinger's). Both
are then frozen, as in the published models.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.cluster import MiniBatchKMeans
from tqdm import tqdm

from voice.files import write_text
from voice.nets.acoustic import AcousticConfig
from voice.nets.content_frames import RATE
from voice.nets.whisper_units import WhisperUnits
from voice.pretrain.corpus import Clip, Corpus
from voice.pretrain.envelope import CONNECTED, usable
from voice.pretrain.frames import sounding, walk
from voice.pretrain.units import Frames
from voice.takes import Heard
from voice.text.symbols import SYMBOLS
from voice.text.units import unit_of
from voice.weights import load_tensors, save_tensors

SAMPLED_FRAMES = 200_000
QUANTISER = ("ssl_proj.", "quantiser.")
SURE = 1e-7  # a posterior is no smaller


def run(args: argparse.Namespace) -> None:
    """Write `quantiser`, `heard` and `tokens.safetensors` and `tokens.jsonl` to `work`.

    With `start` the quantiser is that of the earlier base, whose content encoder must lie in `work`.
    """
    corpus, work, seed = Corpus(args.arrays), args.work, args.seed
    head = WhisperUnits.load(work / "content.safetensors").head
    frames = Frames(work, corpus)
    features: list[np.ndarray] = []
    spoken: list[np.ndarray] = []
    units: list[np.ndarray] = []
    kept: list[Clip] = []
    with torch.inference_mode():
        for clip in tqdm(usable(corpus, CONNECTED, args.longest), desc="features", mininterval=10):
            wav = corpus.wav(clip, RATE)
            ssl = head(frames.of(clip)[None])[0][0].softmax(-1).sqrt()
            pairs = len(ssl) // 2
            if len(clip.units) > 0.9 * len(ssl):
                continue
            place, silent = walk(ssl.square().clamp(min=SURE).log(), clip.phones)
            silent |= ~sounding(wav, len(ssl))
            at = place[1 : 2 * pairs : 2]
            said = np.array([unit_of(SYMBOLS[clip.phones[i]]) or 0 for i in at])
            features.append(ssl[: 2 * pairs].view(pairs, 2, -1).mean(1).numpy().astype(np.float32))
            spoken.append(at)
            units.append(np.where(silent[1 : 2 * pairs : 2], 0, said))
            kept.append(clip)
    flat = np.concatenate(features)
    quantiser = fitted(flat, seed) if args.start is None else earlier(args.start)
    save_tensors(work / "quantiser.safetensors", quantiser)
    table = quantiser["quantiser.embed"].float()
    codes, dim = table.shape
    parts = torch.from_numpy(flat).split(65536)
    tokens = torch.cat([(2 * part @ table.T - table.square().sum(-1)).argmax(-1) for part in parts]).to(torch.int16)
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


def fitted(frames: np.ndarray, seed: int) -> dict[str, torch.Tensor]:
    """A projection that averages two frames, and k-means of such averages [N, dim] as the codebook."""
    picked = np.random.default_rng(seed).choice(len(frames), min(SAMPLED_FRAMES, len(frames)), replace=False)
    codes, dim = AcousticConfig().codes, frames.shape[1]
    means = MiniBatchKMeans(codes, batch_size=8192, max_iter=100, n_init=2, random_state=seed).fit(frames[picked])
    return {
        "ssl_proj.weight": (0.5 * torch.eye(dim)).unsqueeze(-1).repeat(1, 1, 2).half(),
        "ssl_proj.bias": torch.zeros(dim).half(),
        "quantiser.embed": torch.from_numpy(means.cluster_centers_.astype(np.float32)).half(),
    }


def earlier(base: Path) -> dict[str, torch.Tensor]:
    """The quantiser of a finished base."""
    tensors, _ = load_tensors(base / "acoustic.safetensors")
    return {name: tensor for name, tensor in tensors.items() if name.startswith(QUANTISER)}


def same_quantiser(work: Path, base: Path) -> bool:
    """True when tokens in `work` mean what they mean in a finished base."""
    own, theirs = load_tensors(work / "quantiser.safetensors")[0], earlier(base)
    return own.keys() == theirs.keys() and all(torch.equal(own[name], tensor) for name, tensor in theirs.items())


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
