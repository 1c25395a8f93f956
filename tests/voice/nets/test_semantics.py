"""s1 by name: batches, causality, cached decoding, where it looks."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from tests.voice.nets.small_parts import (
    GREEDY,
    SEMANTIC_SIZES,
    item,
    loss_of,
    semantic,
)
from voice.nets.sampling import Sampling
from voice.nets.semantic_llama import SemanticLlama, SemanticLlamaConfig
from voice.train.semantic import SemanticTrainer


@pytest.mark.parametrize("name", SEMANTIC_SIZES)
def test_a_batch_loses_as_much_as_its_lines_alone(name: str) -> None:
    model = semantic(name, bert=6)
    lines = [item(9, 14, 1), item(4, 20, 2), item(15, 6, 3)]
    assert loss_of(model, lines) == pytest.approx(sum(loss_of(model, [line]) for line in lines), rel=1e-5)


@pytest.mark.parametrize("name", SEMANTIC_SIZES)
def test_predictions_know_the_text_and_earlier_tokens_only(name: str) -> None:
    model, line = semantic(name), item(6, 10, 4)
    changed = line.tokens.clone()
    changed[7:] = (changed[7:] + 3) % 20
    other = line.phones.clone()
    other[0] = (other[0] + 1) % 40
    with torch.no_grad():
        base, later, text = (
            model(phones[None], torch.tensor([6]), tokens[None])[0]
            for phones, tokens in ((line.phones, line.tokens), (line.phones, changed), (other, line.tokens))
        )
    assert torch.allclose(base[:, :8], later[:, :8], atol=1e-5)
    assert not torch.allclose(base[:, 8:], later[:, 8:], atol=1e-3)
    assert (base - text).abs().amax(-1).min() > 1e-4


@pytest.mark.parametrize("name", SEMANTIC_SIZES)
@pytest.mark.parametrize("prompt", [0, 1, 6])
def test_cached_decoding_is_the_argmax_of_forward_step_by_step(name: str, prompt: int) -> None:
    model, line = semantic(name, bert=6), item(7, 6, 6)
    bert = torch.randn(7, 6, generator=torch.Generator().manual_seed(0))
    history = line.tokens[:prompt]
    take = model.generate(line.phones, history, GREEDY, torch.Generator().manual_seed(0), bert, max_steps=10)
    assert len(take.tokens) == 10 and take.stop == "max_steps"
    for token in take.tokens:
        with torch.no_grad():
            logits, _ = model(line.phones[None], torch.tensor([7]), history[None], bert[None])
        assert int(logits[0, -1, :-1].argmax()) == int(token)
        history = torch.cat([history, token[None]])


@pytest.mark.parametrize("name", SEMANTIC_SIZES)
def test_a_batch_says_what_its_texts_say_alone(name: str) -> None:
    model = semantic(name)
    with torch.no_grad():
        model.predict.weight[-1] *= 2  # some rows end early and leave the others behind
    lines = [item(4 + 3 * n, 2 * n, n) for n in range(5)]

    def dice() -> list[torch.Generator]:
        return [torch.Generator().manual_seed(n) for n in range(len(lines))]

    phones, prompts = [line.phones for line in lines], [line.tokens for line in lines]
    takes = model.generate_batch(phones, prompts, Sampling(), dice(), [None] * len(lines), max_steps=40)
    alone = [
        model.generate(line.phones, line.tokens, Sampling(), generator, max_steps=40)
        for line, generator in zip(lines, dice(), strict=True)
    ]
    assert [(t.tokens.tolist(), t.stop) for t in takes] == [(t.tokens.tolist(), t.stop) for t in alone]
    assert len({len(take.tokens) for take in takes}) > 1


def test_llama_shows_where_it_looks_and_can_be_guided() -> None:
    model = semantic("llama")
    assert isinstance(model, SemanticLlama)
    line = item(6, 8, 5)
    with torch.no_grad():
        _, maps = model(line.phones[None], torch.tensor([6]), line.tokens[None], look=(1,))
        model.llama.set_attn_implementation("eager")
        x = torch.cat([model.embed_text(line.phones[None]), model.embed_audio(line.tokens[None])], dim=1)
        wanted = model.llama(inputs_embeds=x, output_attentions=True).attentions[1][:, 0, 5:, :6]
    assert len(maps) == 1 and torch.allclose(maps[0], wanted, atol=1e-5)
    lines = [dataclasses.replace(item(5, 10, n), spoken=torch.arange(5).repeat_interleave(2)) for n in range(6)]
    trainer = SemanticTrainer(
        semantic("llama"), lambda n: lines, [], lambda n: 3e-3, guide=1.0, guided_layers=(0,), autocast=False
    )
    logs = [trainer.step(n)["guide"] for n in range(1, 31)]
    assert logs[-1] < 0.8 * logs[0]


def test_llama_at_its_default_size_and_with_heads_that_do_not_divide() -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in SemanticLlama().parameters()) == 183_237_632
    with pytest.raises(ValueError, match="kv_heads must divide heads"):
        SemanticLlamaConfig(heads=16, kv_heads=3)
