"""Whisper's weights out of a CTranslate2 file, and windows in which its encoder hears the corpus."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from tests.voice.pretrain.ctranslate2_file import arrays_of, file_of
from voice.errors import UserError
from voice.nets.hubert import HOP, RATE
from voice.pretrain import teacher
from voice.pretrain.corpus import Clip
from voice.pretrain.teacher import GAP, HALF, WINDOW, frame_starts, windows
from voice.pretrain.whisper_weights import encoder_state, load_teacher, read_ctranslate2


def encoder() -> WhisperEncoder:
    sizes = {"d_model": 24, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 40}
    torch.manual_seed(1)
    made = WhisperEncoder(WhisperConfig(num_mel_bins=8, max_source_positions=10, **sizes))
    for parameter in made.parameters():
        parameter.data = torch.randn_like(parameter).half().float()
    return made


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
        assert all(start % HOP == HALF for start in window.starts)  # our frame centres are the teacher's
        ends = [s + clips[i].size[RATE] // HOP * HOP for i, s in zip(window.clips, window.starts, strict=True)]
        assert all(after - before == GAP for after, before in zip(window.starts[1:], ends[:-1], strict=True))
        assert len(window.clips) == 1 or ends[-1] <= WINDOW
    assert frame_starts(clips)[-1] == sum(size // HOP for _, size in sizes)


class CountingTeacher:
    """Frames that tell their window, and a power cut after some windows."""

    def __init__(self, windows_left: int) -> None:
        self.left = windows_left

    def to(self, device: str) -> CountingTeacher:
        return self

    def features(self, wav: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        count = wav.shape[1] // HOP
        dice = torch.Generator().manual_seed(int(wav.square().sum() * 1000))
        return torch.randn(1, count, 512, generator=dice), torch.tensor([count])


@pytest.mark.parametrize("stop", [0, 1, 4, 6])
def test_a_stopped_teacher_goes_on_to_the_same_frames(
    stop: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four windows are heard for the directions and then written; stopped in either half and begun again."""
    dice = np.random.default_rng(0)
    rows: list[dict[str, object]] = []
    for n, size in enumerate([20 * RATE] * 4):
        row = {"file": f"{n}.wav", "part": "x", "speaker": "ab"[n % 2], "lang": "en", "phones": [], "units": []}
        rows.append(row | {"start": [n * size * 3 // 2, n * size], "size": [size * 3 // 2, size]})
    for rate in (RATE, 24000):
        (dice.standard_normal(80 * rate) * 1000).astype(np.int16).tofile(tmp_path / f"{rate}.i16")
    (tmp_path / "index.jsonl").write_text("\n".join(json.dumps(row) for row in rows))

    def frames(name: str, *lives: int) -> list[bytes]:
        args = Namespace(arrays=tmp_path, target=tmp_path / name, teacher=tmp_path, device="cpu", seed=3)
        for left in lives:
            monkeypatch.setattr(teacher, "load_teacher", lambda *_, left=left: CountingTeacher(left))
            if left < 8:
                with pytest.raises(KeyboardInterrupt):
                    teacher.run(args)
                assert not (args.target / "teacher.f16").exists()
            else:
                teacher.run(args)
        assert not (args.target / "teacher" / "done").exists()
        return [(args.target / f"teacher.{suffix}").read_bytes() for suffix in ("f16", "safetensors")]

    assert frames("parts", stop, 99) == frames("whole", 99)
