"""Whisper's weights out of a CTranslate2 file, and windows in which its encoder hears the corpus."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from voice.errors import UserError
from voice.nets.hubert import HOP, RATE
from voice.pretrain.corpus import Clip
from voice.pretrain.teacher import GAP, HALF, WINDOW, frame_starts, windows
from voice.pretrain.whisper_weights import encoder_state, load_teacher, read_ctranslate2


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


def encoder() -> WhisperEncoder:
    sizes = {"d_model": 24, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 40}
    torch.manual_seed(1)
    made = WhisperEncoder(WhisperConfig(num_mel_bins=8, max_source_positions=10, **sizes))
    for parameter in made.parameters():
        parameter.data = torch.randn_like(parameter).half().float()
    return made


def arrays_of(model: WhisperEncoder) -> dict[str, np.ndarray]:
    """The encoder as CTranslate2 names it: query, key and value in one."""
    own = {name: tensor.numpy().astype(np.float16) for name, tensor in model.state_dict().items()}
    names = {"conv1": "conv1", "conv2": "conv2", "layer_norm": "layer_norm"}
    found = {"encoder/position_encodings/encodings": own["embed_positions.weight"]}
    for number in range(2):
        ours, theirs = f"layers.{number}", f"layer_{number}"
        names |= {
            f"{ours}.self_attn_layer_norm": f"{theirs}/self_attention/layer_norm",
            f"{ours}.final_layer_norm": f"{theirs}/ffn/layer_norm",
            f"{ours}.self_attn.out_proj": f"{theirs}/self_attention/linear_1",
            f"{ours}.fc1": f"{theirs}/ffn/linear_0",
            f"{ours}.fc2": f"{theirs}/ffn/linear_1",
        }
        parts = [own[f"{ours}.self_attn.{part}_proj.weight"] for part in "qkv"]
        biases = [own[f"{ours}.self_attn.q_proj.bias"], np.zeros(24, np.float16), own[f"{ours}.self_attn.v_proj.bias"]]
        found[f"encoder/{theirs}/self_attention/linear_0/weight"] = np.concatenate(parts)
        found[f"encoder/{theirs}/self_attention/linear_0/bias"] = np.concatenate(biases)
    for ours, theirs in names.items():
        norm = "norm" in ours
        found[f"encoder/{theirs}/{'gamma' if norm else 'weight'}"] = own[f"{ours}.weight"]
        found[f"encoder/{theirs}/{'beta' if norm else 'bias'}"] = own[f"{ours}.bias"]
    return found


def test_an_encoder_comes_back_from_a_ctranslate2_file() -> None:
    model = encoder()
    arrays = arrays_of(model) | {"decoder/odd": np.arange(3, dtype=np.int8), "encoder/heads": np.int8(2).reshape(())}
    state = encoder_state(read_ctranslate2(file_of(arrays)))
    expected = model.state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], tensor) for name, tensor in expected.items())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_short_file_is_named_so(data: st.DataObject) -> None:
    raw = file_of({"a/weight": np.ones((2, 3), np.float16), "b": np.ones(4, np.int8)})
    size = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(UserError, match="CTranslate2"):
        read_ctranslate2(raw[:size])


def test_another_version_or_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="version 5"):
        read_ctranslate2(file_of({}, version=5))
    with pytest.raises(UserError, match="no encoder/conv1/weight"):
        encoder_state({"decoder/x": np.ones(1)})
    with pytest.raises(UserError, match=r"no model\.bin"):
        load_teacher(tmp_path, 4)
    whole = file_of(arrays_of(encoder()))  # in two parts, and not of the base size
    (tmp_path / "model.bin.part2").write_bytes(whole[100:])
    (tmp_path / "model.bin.part1").write_bytes(whole[:100])
    with pytest.raises(UserError, match="not Whisper-base"):
        load_teacher(tmp_path, 4)


def clips_of(sizes: list[tuple[str, int]]) -> list[Clip]:
    return [
        Clip(str(n), speaker, "en", "read sentence", "", RATE, {RATE: 0}, {RATE: size, 24000: size * 3 // 2}, (), ())
        for n, (speaker, size) in enumerate(sizes)
    ]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(HOP, WINDOW + 9999)), min_size=1, max_size=40))
def test_every_clip_has_one_place_beside_its_own_speaker(sizes: list[tuple[str, int]]) -> None:
    clips = clips_of(sizes)
    found = windows(clips)
    assert sorted(i for window in found for i in window.clips) == list(range(len(clips)))
    for window in found:
        assert len({clips[i].speaker for i in window.clips}) == 1
        assert all(start % HOP == HALF for start in window.starts)  # the student's frame centres are the teacher's
        ends = [s + clips[i].size[RATE] // HOP * HOP for i, s in zip(window.clips, window.starts, strict=True)]
        assert all(after - before == GAP for after, before in zip(window.starts[1:], ends[:-1], strict=True))
        assert len(window.clips) == 1 or ends[-1] <= WINDOW
    assert frame_starts(clips)[-1] == sum(size // HOP for _, size in sizes)
