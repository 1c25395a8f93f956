"""Way `copy`: true utterances remade from their own tokens and text by the fine-tuned voice, without s1."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile
import torch

from voice.files import write_bytes
from voice.nets.content_frames import RATE
from voice.pretrain.probe import Said
from voice.synthesis import Voice, content_seed


def named(digest: str, folder: Path, spoken: Sequence[Said], seeds: int) -> Iterator[tuple[Path, Said, int]]:
    """Where the copies of a voice with that digest lie: file, utterance, seed (from 1)."""
    for seed in range(1, seeds + 1):
        for said in spoken:
            facts = [digest, "copy", hashlib.sha256(said.wav.tobytes()).hexdigest(), said.text, seed]
            name = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:24]
            yield folder / f"{name}.flac", said, seed


@torch.no_grad()
def remade(voice: Voice, condition: torch.Tensor, said: Said, seed: int) -> np.ndarray:
    """Samples float32 [N] at the rate of s2, at most 1 in size."""
    s2 = voice.acoustic
    tokens = s2.extract_latent(voice.encoders.frames(said.wav, RATE))[0]
    generator = torch.Generator().manual_seed(content_seed(seed, said.text))
    phones = torch.tensor(said.phones)[None]
    audio = s2.decode(tokens, phones, condition, voice.speaking.noise_scale, 1.0, generator)[0, 0].numpy()
    return audio / max(1.0, float(np.abs(audio).max()))


def save(path: Path, audio: np.ndarray, rate: int) -> None:
    """Write a copy. It is for the judge alone and carries no label."""
    buffer = io.BytesIO()
    soundfile.write(buffer, audio, rate, format="FLAC")
    write_bytes(path, buffer.getvalue())
