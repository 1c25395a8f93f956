"""What the networks learn from one segment of a voice: content frames, tokens, samples, BERT and speaker vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from voice.audio import read_audio, to_int16
from voice.encoders import Encoders
from voice.errors import UserError
from voice.nets.acoustic import Acoustic
from voice.tensors import check_tensor
from voice.text import read_text


def extract(
    file: Path,
    text: str,
    lang: str,
    ids: Sequence[int],
    encoders: Encoders,
    acoustic: Acoustic,
    lexicon: Mapping[str, str] | None = None,
) -> dict[str, torch.Tensor]:
    """`ssl` float16 [T, D] at 50 frames/s, `tokens` int32 [T // 2], `wav` int16 [N] at the rate of s2.

    Published bases add `bert` float16 [P, H] for a line with Chinese in it, and `speaker` float16 [S] for v2Pro.
    Raises UserError when the file has another rate than s2 or its text reads otherwise than when it was aligned.
    """
    wave, rate = read_audio(file)
    if rate != acoustic.config.sample_rate:
        raise UserError(f"{file}: {rate} Hz, this base needs {acoustic.config.sample_rate}", "set ingest.sample_rate")
    # Tokens are taken from the stored precision, so that they follow from the stored frames.
    ssl = encoders.frames(wave, rate).half()
    found = {
        "ssl": ssl[0].T.contiguous(),
        "tokens": acoustic.extract_latent(ssl.float())[0, 0].int(),
        "wav": torch.from_numpy(to_int16(wave)),
    }
    reading = read_text(text, lang, lexicon)
    if list(reading.ids) != list(ids):
        raise UserError(f"{file}: its text no longer reads as it was aligned: {text!r}", "run align again")
    if (bert := encoders.bert(reading)) is not None:
        found["bert"] = bert.half()
    if acoustic.config.speaker and (speaker := encoders.speaker(wave, rate)) is not None:
        found["speaker"] = speaker[0].half()
    return found


def check(name: str, found: dict[str, torch.Tensor], width: int, phones: int) -> dict[str, torch.Tensor]:
    """Shapes, kinds and finiteness of one segment's tensors. Raises UserError that names the key."""
    for part, shape in (("bert", (phones, None)), ("speaker", (None,))):
        if part in found:
            check_tensor(f"{name}.{part}", found[part], shape, torch.float16)
    check_tensor(f"{name}.ssl", found["ssl"], (None, width), torch.float16)
    check_tensor(f"{name}.tokens", found["tokens"], (len(found["ssl"]) // 2,), torch.int32)
    check_tensor(f"{name}.wav", found["wav"], (None,), torch.int16)
    return found
