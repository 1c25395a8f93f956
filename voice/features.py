"""What the networks learn from one segment of a voice: content frames, tokens, samples, mel, BERT and speaker vectors.

One segment at a time, never in padded batches: what is stored of a segment then follows from that segment alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes

from voice.audio import Wave, read_audio, to_int16
from voice.encoders import Encoders
from voice.errors import UserError
from voice.f0 import f0_track
from voice.items import pack, unpack
from voice.mel import log_mel
from voice.nets.acoustic import Acoustic
from voice.tensors import check_tensor
from voice.text import read_text

Tensors = dict[str, torch.Tensor]
QUANTISES = ("ssl_proj", "quantiser")  # the parts of s2 that make tokens of content frames
FLOATS = (torch.float16, torch.float32)


@dataclass(frozen=True)
class Segment:
    """One segment: its audio file, how it is read, and the phone ids that alignment found for it."""

    file: Path
    text: str
    lang: str
    ids: Sequence[int]


class Extractor:
    """The frozen networks of the base in `folder`, on `device`, and the voice's own pronunciations."""

    def __init__(self, folder: Path, lexicon: Mapping[str, str] | None = None, device: str = "cpu") -> None:
        self.encoders, self.lexicon, self.device = Encoders(folder, device), lexicon, device
        acoustic = Acoustic.load(folder / "acoustic.safetensors")
        for name, _ in list(acoustic.named_children()):
            if name not in QUANTISES:  # most of its memory, once a process
                delattr(acoustic, name)
        self.acoustic = acoustic.to(device)

    def __call__(self, segment: Segment) -> Tensors:
        """Tensors of one segment, on the CPU.

        `ssl` float16 [T, D] at 50 frames/s, `tokens` int32 [T // 2], `wav` int16 [N] at the rate of s2, `mel` float16
        [M, N // hop] as s2 frames it (natural log). Published bases add `bert` float16 [P, H] for a line with Chinese
        in it, and `speaker` float16 [S] for v2Pro. What float16 cannot hold is float32. Raises UserError when the
        file has another rate than s2 or its text reads otherwise than when it was aligned.
        """
        wave, rate = read_audio(segment.file)
        c = self.acoustic.config
        if rate != c.sample_rate:
            raise UserError(f"{segment.file}: {rate} Hz, this base needs {c.sample_rate}", "set ingest.sample_rate")
        # Tokens are taken from the stored precision, so that they follow from the stored frames.
        ssl = compact(self.encoders.frames(wave, rate))
        samples = torch.from_numpy(to_int16(wave))
        mel = log_mel(samples[None].to(self.device) / 32768, rate, c.n_fft, c.hop, c.win, c.mels)[0]
        found = {
            "ssl": ssl[0].T,
            "tokens": self.acoustic.extract_latent(ssl.float().to(self.device))[0, 0].int(),
            "wav": samples,
            "mel": compact(mel),
        }
        reading = read_text(segment.text, segment.lang, self.lexicon)
        if list(reading.ids) != list(segment.ids):
            message = f"{segment.file}: its text no longer reads as it was aligned: {segment.text!r}"
            raise UserError(message, "run align again")
        if (bert := self.encoders.bert(reading)) is not None:
            found["bert"] = compact(bert)
        if c.speaker and (speaker := self.encoders.speaker(wave, rate)) is not None:
            found["speaker"] = compact(speaker[0])
        return {name: tensor.cpu().contiguous() for name, tensor in found.items()}


def compact(values: torch.Tensor) -> torch.Tensor:
    """`values` as float16 when all are finite in it, else as float32."""
    small = values.half()
    return small if bool(torch.isfinite(small).all()) else values.float()


def describe(found: Tensors, rate: int) -> dict[str, Any]:
    """What the table of features says of one segment's tensors; `lo` and `hi` are the range of its content frames.

    F0 is that of `voice.f0` in Hz: median and interquartile range of voiced frames of 10 ms (None without any), and
    the share of these frames.
    """
    ssl = found["ssl"]
    return {
        "frames": len(ssl),
        "tokens": len(found["tokens"]),
        "token_kinds": len(found["tokens"].unique()),
        "samples": len(found["wav"]),
        "dtype": str(ssl.dtype).removeprefix("torch."),
        "lo": round(float(ssl.min()), 4),
        "hi": round(float(ssl.max()), 4),
        "finite": bool(torch.isfinite(ssl).all()),
    } | f0_summary((found["wav"].float() / 32768).numpy(), rate)


def f0_summary(wave: Wave, rate: int) -> dict[str, float | None]:
    """`f0_median_hz`, `f0_iqr_hz` (None without a voiced frame) and `voiced_share` of `wave` [N] at `rate` Hz."""
    track = f0_track(wave, rate, rate // 100)
    voiced = track[track > 0]
    if not len(voiced):
        return {"f0_median_hz": None, "f0_iqr_hz": None, "voiced_share": 0.0}
    low, middle, high = (float(value) for value in np.percentile(voiced, [25, 50, 75]))
    return {
        "f0_median_hz": round(middle, 2),
        "f0_iqr_hz": round(high - low, 2),
        "voiced_share": round(len(voiced) / len(track), 4),
    }


def check(file: Path, found: Tensors, width: int, mels: int, phones: int) -> Tensors:
    """Shapes, kinds and finiteness of the tensors of one segment. Raises UserError that names its file and the tensor.

    `width` is that of content frames, `mels` the number of mel bands.
    """
    shapes: dict[str, tuple[int | None, ...]] = {
        "ssl": (None, width), "mel": (mels, None), "bert": (phones, None), "speaker": (None,)
    }  # fmt: skip
    for part in ("ssl", "mel", *(part for part in ("bert", "speaker") if part in found)):
        kind = found[part].dtype
        check_tensor(f"{file}: {part}", found[part], shapes[part], kind if kind in FLOATS else torch.float16)
    check_tensor(f"{file}: tokens", found["tokens"], (len(found["ssl"]) // 2,), torch.int32)
    check_tensor(f"{file}: wav", found["wav"], (None,), torch.int16)
    return found


_loaded: dict[str, Extractor] = {}


def set_up(folder: Path, lexicon: Mapping[str, str], device: str, threads: int) -> None:
    """Load what `extract` needs in this process; `threads` are torch's."""
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    _loaded["now"] = Extractor(folder, lexicon, device)


def extract(segment: Segment) -> bytes:
    """Checked tensors of a segment and their description as one value for `read_item`, by the networks of `set_up`."""
    extractor = _loaded["now"]
    c = extractor.acoustic.config
    found = check(segment.file, extractor(segment), c.content, c.mels, len(segment.ids))
    return pack({"row": json.dumps(describe(found, c.sample_rate)).encode(), "tensors": to_bytes(found)})


def read_item(data: bytes) -> tuple[dict[str, Any], Tensors]:
    """What `extract` made: the description (`describe`) and the tensors."""
    parts = unpack(data)
    return json.loads(parts["row"]), from_bytes(parts["tensors"])
