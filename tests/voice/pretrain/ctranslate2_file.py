"""A file such as CTranslate2 writes, made from any Whisper encoder."""

from __future__ import annotations

import struct

import numpy as np
from torch import nn


def file_of(arrays: dict[str, np.ndarray], version: int = 6) -> bytes:
    """A CTranslate2 file that holds `arrays`, float16 or int8."""

    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    raw = struct.pack("<I", version) + text("WhisperSpec") + struct.pack("<II", 3, len(arrays))
    for name, array in arrays.items():
        kind = {"float16": 4, "int8": 1}[array.dtype.name]
        raw += text(name) + struct.pack("<B", array.ndim) + struct.pack(f"<{array.ndim}I", *array.shape)
        raw += struct.pack("<BI", kind, array.nbytes) + array.tobytes()
    return raw


def arrays_of(model: nn.Module) -> dict[str, np.ndarray]:
    """The encoder as CTranslate2 names it: query, key and value in one."""
    own = {name: tensor.numpy().astype(np.float16) for name, tensor in model.state_dict().items()}
    names = {"conv1": "conv1", "conv2": "conv2", "layer_norm": "layer_norm"}
    found = {"encoder/position_encodings/encodings": own["embed_positions.weight"]}
    for number in range(sum(name.endswith("fc1.weight") for name in own)):
        ours, theirs = f"layers.{number}", f"layer_{number}"
        names |= {
            f"{ours}.self_attn_layer_norm": f"{theirs}/self_attention/layer_norm",
            f"{ours}.final_layer_norm": f"{theirs}/ffn/layer_norm",
            f"{ours}.self_attn.out_proj": f"{theirs}/self_attention/linear_1",
            f"{ours}.fc1": f"{theirs}/ffn/linear_0",
            f"{ours}.fc2": f"{theirs}/ffn/linear_1",
        }
        parts = [own[f"{ours}.self_attn.{part}_proj.weight"] for part in "qkv"]
        biases = [
            own[f"{ours}.self_attn.q_proj.bias"],
            np.zeros(model.config.d_model, np.float16),
            own[f"{ours}.self_attn.v_proj.bias"],
        ]
        found[f"encoder/{theirs}/self_attention/linear_0/weight"] = np.concatenate(parts)
        found[f"encoder/{theirs}/self_attention/linear_0/bias"] = np.concatenate(biases)
    for ours, theirs in names.items():
        norm = "norm" in ours
        found[f"encoder/{theirs}/{'gamma' if norm else 'weight'}"] = own[f"{ours}.weight"]
        found[f"encoder/{theirs}/{'beta' if norm else 'bias'}"] = own[f"{ours}.bias"]
    return found
