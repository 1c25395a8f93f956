"""A prepared corpus of a few seconds, in which every phone is a tone of its own and teacher frames tell which."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from voice.nets.content_frames import HOP, RATE
from voice.pretrain.corpus import RATES
from voice.pretrain.teacher import DIMS
from voice.text.symbols import SYMBOLS
from voice.text.units import unit_of
from voice.weights import save_tensors

PHONES = ("HH", "AY1", "N", "IY0")
UNITS = [unit_of(phone) for phone in PHONES]
F0 = (110.0, 140.0, 170.0, 200.0)  # Hz, of each phone
SPEAKERS = [f"reader_{n:02d}" for n in range(18)]
_IDS = {symbol: number for number, symbol in enumerate(SYMBOLS)}


def tones(which: np.ndarray, rate: int) -> np.ndarray:
    """A phone for every sample [N] -> its tone with five harmonics, and a breath of noise, [N] float64."""
    phase = 2 * np.pi * np.cumsum(np.asarray(F0)[which]) / rate
    sound = sum(0.1 / n * np.sin(n * phase) for n in range(1, 6))
    return np.asarray(sound + 0.002 * np.random.default_rng(0).standard_normal(len(which)))


def write_corpus(folder: Path, seconds: float, times: int = 1, speakers: Sequence[str] = SPEAKERS) -> Path:
    """Every reader says PHONES `times` times in `seconds`; frames of the teacher are 4 where the phone is, else 0.

    A reader's number, in tenths, is added to all of his frames.
    """
    said = np.tile(np.arange(len(PHONES)), times)
    size = {rate: int(seconds * rate) for rate in RATES}
    sounds: dict[int, list[np.ndarray]] = {rate: [] for rate in RATES}
    rows, units, frames = [], [], []
    dice = np.random.default_rng(0)
    for number, speaker in enumerate(speakers):
        for rate in RATES:
            wav = tones(said[np.arange(size[rate]) * len(said) // size[rate]], rate)
            sounds[rate].append((32767 * wav).astype(np.int16))
        row = {"file": f"{speaker}.wav", "part": "human", "speaker": speaker, "lang": "en", "kind": "read sentence"}
        place = {"start": [number * size[rate] for rate in RATES], "size": [size[rate] for rate in RATES]}
        rows.append(row | place | {"phones": [_IDS[p] for p in PHONES] * times, "units": UNITS * times})
        count = size[RATE] // HOP
        which = said[np.arange(count) * len(said) // count]
        units.append(np.array(UNITS)[which])
        frames.append(np.eye(DIMS)[which] * 4 + dice.standard_normal((count, DIMS)) * 0.1 + int(speaker[-2:]) / 10)
    for rate, parts in sounds.items():
        np.concatenate(parts).tofile(folder / f"{rate}.i16")
    (folder / "index.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    starts = np.cumsum([0, *(len(u) for u in units)])
    labels = {"unit": torch.from_numpy(np.concatenate(units)).to(torch.int16), "start": torch.from_numpy(starts)}
    save_tensors(folder / "frames.safetensors", labels)
    np.concatenate(frames).astype(np.float16).tofile(folder / "teacher.f16")
    save_tensors(folder / "teacher.safetensors", {"weight": torch.eye(DIMS), "mean": torch.zeros(DIMS)})
    return folder


def options(arrays: Path, work: Path, **changed: object) -> Namespace:
    """Options of a step whose results go to `work`, in both senses; the corpus lies in `arrays`."""
    usual = {"steps": 3, "rate": 3e-4, "seed": 5, "device": "cpu", "minutes": None, "budget": 4.0, "longest": 20.0}
    usual |= {"arrays": arrays, "work": work, "target": work, "start": None, "threads": 1, "judged": 0.5}
    return Namespace(**(usual | changed))


def linked(arrays: Path, target: Path, *names: str) -> Path:
    """A new folder with links to files of another."""
    target.mkdir()
    for name in names:
        (target / name).symlink_to(arrays / name)
    return target
