"""Which unit is spoken in each content frame of the corpus, by forced alignment; 0 where nothing is said.

A first content encoder (CTC) gives a first alignment. `voice.pretrain.realign` trains a head on it frame by frame,
which tells a network far more a second of speech than CTC does, and its frame posteriors give the next, sharper one.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from torchaudio.functional import forced_align
from tqdm import tqdm

from voice.nets.hubert import HOP, RATE, ContentEncoder
from voice.pretrain.corpus import Clip, Corpus
from voice.text.symbols import SYMBOLS
from voice.text.units import CTC_UNITS, unit_of
from voice.weights import save_tensors

FLOOR_DB = -42.0  # a frame this far below the clip's loudest is silence


def sounding(wav: np.ndarray, frames: int) -> np.ndarray:
    """True for the content frames [frames] of 16 kHz audio whose level is above FLOOR_DB of the loudest."""
    power = np.square(wav[: frames * HOP].astype(np.float64)).reshape(frames, HOP).mean(1)
    return power > power.max(initial=0.0) * 10 ** (FLOOR_DB / 10)


def placed(phones: tuple[int, ...]) -> list[tuple[int, int]]:
    """(index of the phone, its unit) for every phone with a sound of its own."""
    return [(i, u) for i, p in enumerate(phones) if (u := unit_of(SYMBOLS[p])) is not None]


def walk(log_probs: torch.Tensor, phones: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Forced alignment of log_probs [T, units], class 0 being blank or silence.

    Returns the index of the phone last begun (first phone before it starts) and True where class 0 was taken, both [T].
    """
    units = placed(phones)
    targets = torch.tensor([[u for _, u in units]], dtype=torch.int32)
    path, _ = forced_align(log_probs[None].contiguous(), targets, blank=0)
    spoken, at, last = [], -1, 0
    for label in path[0].tolist():
        if label not in (0, last):
            at += 1
        last = label
        spoken.append(units[max(at, 0)][0])
    return np.array(spoken, dtype=np.int16), (path[0] == 0).numpy()


def run(args: argparse.Namespace) -> None:
    """Write `work/frames.safetensors`: `unit` int16 of every frame and `start` int64 of every clip (clips + 1)."""
    corpus, work = Corpus(args.arrays), args.work
    encoder = ContentEncoder.load(work / "content.safetensors").to(args.device)
    out, starts = [], [0]
    with torch.inference_mode():
        for clip in tqdm(corpus.clips, desc="align", mininterval=10):
            out.append(_labels(corpus.wav(clip, RATE), clip, encoder))
            starts.append(starts[-1] + len(out[-1]))
    unit = torch.from_numpy(np.concatenate(out))
    save_tensors(work / "frames.safetensors", {"unit": unit, "start": torch.tensor(starts)})
    silent = float((unit == 0).float().mean())
    print(f"frames: {len(unit)} of {len(corpus.clips)} clips, {100 * silent:.1f} % silent, {len(CTC_UNITS) - 1} units")


def _labels(wav: np.ndarray, clip: Clip, encoder: ContentEncoder) -> np.ndarray:
    sound = torch.from_numpy(wav)[None].to(next(encoder.parameters()).device)
    logs = encoder.log_probs(sound)[0][0].cpu()
    frames = len(logs)
    if len(clip.units) * 1.2 > frames or not clip.units:
        return np.full(frames, -1, dtype=np.int16)  # cannot be aligned: trained on by nobody
    spoken, _ = walk(logs, clip.phones)
    unit = np.array([unit_of(SYMBOLS[clip.phones[i]]) or 0 for i in spoken], dtype=np.int16)
    # CTC's blanks are no silence: they stand between sounds.
    return np.where(sounding(wav, frames), unit, 0).astype(np.int16)
