"""Quantiser of the mini base, semantic tokens of the corpus, and which phone is spoken at each token.

The stride-2 projection standardises content features and averages two frames; k-means on its output gives the
codebook. Both are then frozen, as in the published models.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.cluster import MiniBatchKMeans
from torchaudio.functional import forced_align
from tqdm import tqdm

from voice.files import write_text
from voice.nets.acoustic import AcousticConfig
from voice.nets.hubert import RATE, ContentEncoder
from voice.pretrain.autoencoder import usable
from voice.pretrain.corpus import Clip, Corpus
from voice.text.symbols import SYMBOLS
from voice.text.units import unit_of
from voice.weights import load_tensors, save_tensors

SAMPLED_FRAMES = 120_000


def spoken_phones(log_probs: torch.Tensor, phones: tuple[int, ...], tokens: int) -> np.ndarray:
    """Index of the phone spoken at each token [tokens], from a CTC alignment of log_probs [T, units].

    Phones without a sound of their own are skipped; a phone lasts from its first frame to the next one's.
    """
    placed = [(i, u) for i, p in enumerate(phones) if (u := unit_of(SYMBOLS[p])) is not None]
    targets = torch.tensor([[u for _, u in placed]], dtype=torch.int32)
    path, _ = forced_align(log_probs[None].contiguous(), targets, blank=0)
    labels = path[0].tolist()
    spoken, at, last = [], -1, 0
    for label in labels:
        if label != 0 and label != last:
            at += 1
        last = label
        spoken.append(placed[max(at, 0)][0])
    return np.array([spoken[min(2 * t + 1, len(spoken) - 1)] for t in range(tokens)], dtype=np.int16)


def run(work: Path, seed: int) -> None:
    """Write `work/quantiser.safetensors`, `work/tokens.safetensors` and `work/tokens.jsonl`."""
    corpus = Corpus(work)
    encoder = ContentEncoder.load(work / "content.safetensors")
    clips = usable(corpus)
    features: list[np.ndarray] = []
    spoken: list[np.ndarray] = []
    kept: list[Clip] = []
    scores: list[float] = []
    with torch.no_grad():
        for clip in tqdm(clips, desc="features", mininterval=10):
            wav = torch.from_numpy(corpus.wav(clip, RATE))[None]
            hidden, _ = encoder._hidden(wav, None)
            ssl = hidden[encoder.config.feature_layer][0]
            logs = encoder.ctc(hidden[-1])[0].log_softmax(-1)
            pairs = len(ssl) // 2
            if len(clip.units) > 0.9 * len(ssl):
                continue
            features.append(ssl[: 2 * pairs].view(pairs, 2, -1).mean(1).numpy().astype(np.float32))
            spoken.append(spoken_phones(logs, clip.phones, pairs))
            best = logs.argmax(-1)
            scores.append(float((best != 0).float().mean()))
            kept.append(clip)
    flat = np.concatenate(features)
    mean, std = flat.mean(0), flat.std(0) + 1e-4
    flat = (flat - mean) / std
    picked = np.random.default_rng(seed).choice(len(flat), min(SAMPLED_FRAMES, len(flat)), replace=False)
    codes = AcousticConfig().codes
    means = MiniBatchKMeans(codes, batch_size=8192, max_iter=60, n_init=1, random_state=seed).fit(flat[picked])
    dim = flat.shape[1]
    weight = torch.diag(torch.from_numpy(0.5 / std)).unsqueeze(-1).repeat(1, 1, 2)
    table = torch.from_numpy(means.cluster_centers_.astype(np.float32)).half().float()
    save_tensors(
        work / "quantiser.safetensors",
        {
            "ssl_proj.weight": weight.float(),
            "ssl_proj.bias": torch.from_numpy(-mean / std),
            "quantiser.embed": table,
        },
    )
    everything = torch.from_numpy(flat)
    tokens = torch.cat(
        [(2 * part @ table.T - table.square().sum(-1)).argmax(-1) for part in everything.split(65536)]
    ).to(torch.int16)
    save_tensors(work / "tokens.safetensors", {"tokens": tokens, "spoken": torch.from_numpy(np.concatenate(spoken))})
    starts = np.cumsum([0, *[len(f) for f in features]])
    rows = [
        json.dumps({"name": c.name, "start": int(s), "size": len(f)})
        for c, s, f in zip(kept, starts[:-1], features, strict=True)
    ]
    write_text(work / "tokens.jsonl", "\n".join(rows) + "\n")
    report(tokens.numpy(), np.concatenate(spoken), kept, [len(f) for f in features], codes, dim)


def report(tokens: np.ndarray, spoken: np.ndarray, clips: list[Clip], sizes: list[int], codes: int, dim: int) -> None:
    """Print how much of the spoken phone a token tells: entropy of the unit with and without the token, in bits."""
    units = []
    at = 0
    for clip, size in zip(clips, sizes, strict=True):
        units += [unit_of(SYMBOLS[clip.phones[int(i)]]) or 0 for i in spoken[at : at + size]]
        at += size
    joint = np.zeros((codes, max(units) + 1))
    np.add.at(joint, (tokens, np.array(units)), 1)
    joint /= joint.sum()
    p_code, p_unit = joint.sum(1), joint.sum(0)

    def entropy(p: np.ndarray) -> float:
        p = p[p > 0]
        return float(-(p * np.log2(p)).sum())

    shared = entropy(p_code) + entropy(p_unit) - entropy(joint.ravel())
    print(f"tokens: {len(tokens)} of {dim}-d frames, {(p_code > 0).sum()}/{codes} codes used,", end=" ")
    print(f"phone entropy {entropy(p_unit):.2f} bits, of which a token tells {shared:.2f}")


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
