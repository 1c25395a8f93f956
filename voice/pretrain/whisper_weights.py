"""Whisper-base's encoder out of a CTranslate2 file, the form in which small packages carry its weights."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import torch

from voice.errors import UserError
from voice.nets.whisper import WhisperContent, WhisperContentConfig

_WANTED = "give a Whisper model in CTranslate2 form"
_DTYPES = ("<f4", "i1", "<i2", "<i4", "<f2")


def read_ctranslate2(raw: bytes) -> dict[str, np.ndarray]:
    """Named arrays of a CTranslate2 model file of version 6. Raises UserError on anything else or a short file."""
    at = 0

    def take(form: str) -> tuple[int, ...]:
        nonlocal at
        found = struct.unpack_from("<" + form, raw, at)
        at += struct.calcsize("<" + form)
        return found

    def text() -> str:
        nonlocal at
        (size,) = take("H")
        found = raw[at : at + size - 1].decode()
        at += size
        return found

    arrays = {}
    try:
        (version,) = take("I")
        if version != 6:
            raise UserError(f"a CTranslate2 file of version {version}, not 6", "convert the model again")
        text()
        _, count = take("II")
        for _ in range(count):
            name = text()
            (rank,) = take("B")
            shape = take(f"{rank}I")
            kind, size = take("BI")
            arrays[name] = np.frombuffer(raw[at : at + size], dtype=_DTYPES[kind]).reshape(shape)
            at += size
    except (struct.error, UnicodeDecodeError, ValueError, IndexError) as error:
        raise UserError(f"not a readable CTranslate2 file: {error}", "fetch the model again") from error
    return arrays


def encoder_state(arrays: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """State of transformers' WhisperEncoder from CTranslate2's arrays; query, key and value lie fused there.

    Raises UserError when an array is missing.
    """
    state: dict[str, torch.Tensor] = {}

    def put(target: str, source: str, norm: bool = False) -> None:
        for ours, theirs in (("weight", "gamma" if norm else "weight"), ("bias", "beta" if norm else "bias")):
            if f"encoder/{source}/{theirs}" not in arrays:
                raise UserError(f"the model has no encoder/{source}/{theirs}", _WANTED)
            state[f"{target}.{ours}"] = torch.from_numpy(arrays[f"encoder/{source}/{theirs}"].astype(np.float32))

    put("conv1", "conv1")
    put("conv2", "conv2")
    put("layer_norm", "layer_norm", norm=True)
    positions = "encoder/position_encodings/encodings"
    if positions not in arrays:
        raise UserError(f"the model has no {positions}", _WANTED)
    state["embed_positions.weight"] = torch.from_numpy(arrays[positions].astype(np.float32))
    layers = {name.split("/")[1] for name in arrays if name.startswith("encoder/layer_") and "layer_norm/" not in name}
    for number in range(len(layers)):
        ours, theirs = f"layers.{number}", f"layer_{number}"
        put(f"{ours}.self_attn_layer_norm", f"{theirs}/self_attention/layer_norm", norm=True)
        put(f"{ours}.final_layer_norm", f"{theirs}/ffn/layer_norm", norm=True)
        put(f"{ours}.self_attn.out_proj", f"{theirs}/self_attention/linear_1")
        put(f"{ours}.fc1", f"{theirs}/ffn/linear_0")
        put(f"{ours}.fc2", f"{theirs}/ffn/linear_1")
        put("fused", f"{theirs}/self_attention/linear_0")
        weights, biases = (state.pop(f"fused.{name}").chunk(3) for name in ("weight", "bias"))
        for part, weight, bias in zip("qkv", weights, biases, strict=True):
            state[f"{ours}.self_attn.{part}_proj.weight"] = weight
            if part != "k":  # Whisper's keys have none
                state[f"{ours}.self_attn.{part}_proj.bias"] = bias
    return state


def load_teacher(folder: Path, layer: int) -> WhisperContent:
    """Whisper's encoder up to `layer` from `model.bin`, or its parts `model.bin.part1`, `.part2`, below `folder`.

    Evaluation mode. Raises UserError when there is none or it is not Whisper-base.
    """
    files = sorted(folder.rglob("model.bin"))[:1] or sorted(folder.rglob("model.bin.part*"), key=lambda f: f.name)
    if not files:
        raise UserError(f"{folder}: no model.bin below it", "give the folder of a CTranslate2 Whisper-base")
    state = encoder_state(read_ctranslate2(b"".join(file.read_bytes() for file in files)))
    teacher = WhisperContent(WhisperContentConfig(fill=True, feature_layer=layer))
    try:
        teacher.encoder.load_state_dict(state)
    except RuntimeError as error:
        raise UserError(f"{files[0]}: not Whisper-base", "give the base size") from error
    return teacher.eval()
