"""What a listener makes of strangers' recordings."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from voice.errors import UserError
from voice.nets.content_frames import RATE, PhoneRecogniser
from voice.nets.hubert import ContentEncoder
from voice.nets.whisper_units import WhisperUnits, WhisperUnitsConfig
from voice.pretrain import probe
from voice.pretrain.probe import Listener, Said, Score, commonest, mean, read_recordings, score, table
from voice.takes import Heard
from voice.text.units import CTC_UNITS
from voice.weights import save_tensors


def told(codes: int = 6) -> Heard:
    """Token n always stands for unit n."""
    return Heard.count(torch.arange(codes), torch.arange(codes), codes)


def test_commonest_units_merge_repeats_and_leave_silence_out() -> None:
    assert commonest(told(), torch.tensor([0, 3, 3, 0, 3, 5, 4, 4, 0])) == [3, 3, 5, 4]


def recording(folder: Path, lines: list[str], spans: list[list[float]], rate: int = 24000) -> None:
    folder.mkdir(parents=True)
    ramp = np.linspace(0, 0.9, 3 * rate, dtype=np.float32)
    soundfile.write(folder / "recording.flac", ramp, rate)
    (folder / "transcript.txt").write_text("\n".join(lines) + "\n")
    (folder / "about.json").write_text(
        json.dumps({"speaker": folder.name, "language": "en", "utterance_spans_s": spans})
    )


def test_recordings_are_cut_at_their_spans_and_brought_to_the_rate(tmp_path: Path) -> None:
    recording(tmp_path / "b", ["Hi.", "No."], [[0.5, 1.0], [2.0, 2.75]])
    first, second = read_recordings(tmp_path)
    assert len(first.wav) == RATE // 2 and len(second.wav) == RATE * 3 // 4
    assert second.wav[RATE // 4] == pytest.approx(0.9 * 2.25 / 3, abs=0.01)
    assert [CTC_UNITS[u] for u in first.units] == ["HH", "AY"]


def test_spans_and_lines_must_agree(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="about"):
        read_recordings(tmp_path)
    recording(tmp_path / "a", ["Hi."], [[0, 1], [1, 2]])
    with pytest.raises(UserError, match="2 spans for 1 lines"):
        read_recordings(tmp_path)


ENCODERS: list[Callable[[], PhoneRecogniser]] = [
    ContentEncoder,
    lambda: WhisperUnits(WhisperUnitsConfig(hidden=32, layers=1, heads=2, ffn=48, positions=80, width=16)),
]


def listener(folder: Path, make: Callable[[], PhoneRecogniser] = ContentEncoder) -> Path:
    torch.manual_seed(3)
    encoder = make()
    encoder.save(folder / "content.safetensors")
    size = encoder.dim
    parts = {"ssl_proj.weight": torch.randn(size, size, 2), "ssl_proj.bias": torch.zeros(size)}
    save_tensors(folder / "quantiser.safetensors", parts | {"quantiser.embed": torch.randn(6, size)})
    told().save(folder / "heard.safetensors")
    return folder


@pytest.mark.parametrize("make", ENCODERS)
def test_tokens_are_the_nearest_codes_of_the_projected_frames(
    make: Callable[[], PhoneRecogniser], tmp_path: Path
) -> None:
    heard = Listener.load(listener(tmp_path, make))
    wav = torch.randn(RATE + 500).numpy() * 0.1
    logs, tokens = heard.hear(wav)
    frames = heard.encoder.features(torch.from_numpy(wav)[None])[0][0]
    pairs = frames[: len(frames) // 2 * 2].reshape(-1, 2, heard.encoder.dim)
    projected = torch.einsum("npd,odp->no", pairs, heard.kernel) + heard.bias
    assert tokens.tolist() == torch.cdist(projected, heard.codebook).argmin(-1).tolist()
    assert logs.shape == (len(frames), len(CTC_UNITS))


def test_scores_count_edits_of_all_utterances_of_a_speaker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one").mkdir()
    heard = Listener.load(listener(tmp_path / "one"))
    dice = np.random.default_rng(0)
    wavs = [dice.standard_normal(RATE).astype(np.float32) * 0.1 for _ in range(2)]
    perfect = [tuple(commonest(heard.heard, heard.hear(wav)[1])) for wav in wavs]
    found = score(
        heard, [Said("x", wavs[0], (), perfect[0], "", "en"), Said("x", wavs[1], (), perfect[1] * 2, "", "en")]
    )
    total = len(perfect[0]) + 2 * len(perfect[1])
    assert found["x"].units == total and found["x"].tokens == pytest.approx(len(perfect[1]) / total)
    recording(tmp_path / "voices" / "y", ["Hi."], [[0, 1]])
    probe.run(Namespace(recordings=tmp_path / "voices", listeners=[tmp_path / "one"]))
    text = capsys.readouterr().out
    assert "| y |" in text and "one: CTC" in text


def test_the_mean_counts_speakers_and_not_units() -> None:
    scores = {"a": Score(0.1, 0.2, 1.0, 1000), "b": Score(0.3, 0.4, 2.0, 10)}
    assert mean(list(scores.values())) == Score(pytest.approx(0.2), pytest.approx(0.3), 1.5, 1010)
    assert table(["m"], [scores]).splitlines()[-1] == "| mean | 20.0 % | 30.0 % | 1.50 |"
