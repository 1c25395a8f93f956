"""The last two trainings of the base on a tiny corpus: what they begin from, and that a stopped one goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.voice.pretrain.tiny_corpus import linked, options
from voice.nets.acoustic import Acoustic
from voice.nets.semantic import Semantic
from voice.nets.texture import Texture
from voice.pretrain import acoustic, pitch, semantic
from voice.train.latent import LatentTrainer
from voice.weights import load_tensors

TOKENS = ("tokens.jsonl", "tokens.safetensors", "quantiser.safetensors")


@pytest.fixture(scope="module")
def work(tokenised: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tokens, F0 and a decoder."""
    work = linked(tokenised, tmp_path_factory.mktemp("s2") / "work", *TOKENS)
    pitch.run(options(tokenised, work))
    torch.manual_seed(1)
    Acoustic().save(work / "envelope.safetensors")
    return work


def earlier(folder: Path) -> Path:
    """An earlier base."""
    folder.mkdir()
    torch.manual_seed(2)
    Acoustic().save(folder / "acoustic.safetensors")
    Semantic().save(folder / "semantic.safetensors")
    return folder


def same(found: dict[str, torch.Tensor], file: Path, *prefixes: str) -> bool:
    """True where all tensors of some beginning are those of a file."""
    kept, _ = load_tensors(file)
    names = [name for name in kept if name.startswith(prefixes)]
    return bool(names) and all(torch.equal(found[name].half(), kept[name].half()) for name in names)


def test_s2_begins_from_the_decoder_the_quantiser_and_an_earlier_base(work: Path, tmp_path: Path) -> None:
    before = earlier(tmp_path / "base")
    found = acoustic.start(options(work, work, start=before)).state_dict()
    assert same(found, work / "envelope.safetensors", "dec.")
    assert same(found, work / "quantiser.safetensors", "")
    assert same(found, before / "acoustic.safetensors", "enc_p.", "ref_enc.", "flow.")


@pytest.mark.parametrize(("step", "steps", "lines"), [(acoustic, 4, 4), (semantic, 2, 3)])
def test_a_stopped_training_goes_on_to_the_same_weights(
    step: Any, steps: int, lines: int, work: Path, tokenised: Path, tmp_path: Path
) -> None:
    """s2 in two parts, each with a row at its end."""
    name = step.__name__.split(".")[-1]
    files = []
    for folder, minutes in (("whole", [None]), ("parts", [0.0, None])):  # 0 minutes: one step
        target = linked(work, tmp_path / folder, *TOKENS, "f0.f16", "envelope.safetensors")
        for limit in minutes:
            step.run(options(tokenised, target, steps=steps, budget=120.0 if step is semantic else 5.0, minutes=limit))
        files.append((target / f"{name}.safetensors").read_bytes())
        assert (target / f"{name}.loss.tsv").read_text().count("\n") == lines + len(minutes) - 1
    assert files[0] == files[1]


def test_the_judge_takes_part_in_the_last_steps_alone(
    work: Path, tokenised: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    step = LatentTrainer.step
    monkeypatch.setattr(
        LatentTrainer, "step", lambda self, n: seen.append((self.weights.judged, self.rate(n))) or step(self, n)
    )
    for share, expected in ((0.4, [False] * 3 + [True] * 2), (1.0, [True] * 5), (0.0, [False] * 4 + [True])):
        target = linked(work, tmp_path / str(share), *TOKENS, "f0.f16", "envelope.safetensors")
        seen.clear()
        acoustic.run(options(tokenised, target, steps=5, budget=5.0, judged=share))
        assert [judged for judged, _ in seen] == expected
        assert all(rate <= 0.3 * 3e-4 for judged, rate in seen if judged)
        assert Texture.load(target / "texture.safetensors").kind == "texture"
        rows = (target / "acoustic.loss.tsv").read_text().splitlines()
        assert [row.split("\t")[0] for row in rows][-1] == "5" and len({row.split("\t")[0] for row in rows}) == len(
            rows
        )


def test_what_s2_leaves_still_has_the_decoder_and_the_quantiser(work: Path, tokenised: Path, tmp_path: Path) -> None:
    target = linked(work, tmp_path / "t", *TOKENS, "f0.f16", "envelope.safetensors")
    acoustic.run(options(tokenised, target, steps=1, budget=5.0))
    found, meta = load_tensors(target / "acoustic.safetensors")
    assert same(found, work / "envelope.safetensors", "dec.") and same(found, work / "quantiser.safetensors", "")
    assert not same(found, work / "envelope.safetensors", "enc_p.")
    assert meta["config"]["decoder"] == "envelope" and not any(name.startswith("enc_q.") for name in found)
