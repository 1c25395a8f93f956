"""s1: masks, losses of batches, cached decoding, sampling."""

from __future__ import annotations

import pytest
import torch

from voice.nets.sampling import FIRST_EOS_STEP, Sampling, pick
from voice.nets.semantic import Semantic, SemanticConfig
from voice.train.batching import pad_right
from voice.train.semantic import token_loss

GREEDY = Sampling(top_k=1, penalty=1.0)


@pytest.fixture(scope="module")
def model() -> Semantic:
    torch.manual_seed(0)
    return Semantic(SemanticConfig(phones=40, codes=30, hidden=32, heads=2, ffn=48, layers=2)).eval()


def random_item(phones: int, tokens: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randint(1, 40, (phones,), generator=generator),
        torch.randint(0, 30, (tokens,), generator=generator),
    )


def loss_of(model: Semantic, items: list[tuple[torch.Tensor, torch.Tensor]]) -> float:
    phones, phone_counts = pad_right([p for p, _ in items])
    tokens, counts = pad_right([t for _, t in items])
    with torch.no_grad():
        logits, _ = model(phones, phone_counts, tokens)
    return float(token_loss(logits, tokens, counts, model.config.eos))


def test_a_batch_loses_as_much_as_its_items_alone(model: Semantic) -> None:
    items = [random_item(9, 14, 1), random_item(4, 20, 2), random_item(15, 6, 3)]
    assert loss_of(model, items) == pytest.approx(sum(loss_of(model, [item]) for item in items), rel=1e-5)


def test_text_pads_are_invisible_and_real_phones_are_not(model: Semantic) -> None:
    phones, tokens = random_item(6, 8, 4)
    base, _ = model(phones[None], torch.tensor([6]), tokens[None])
    padded = torch.cat([phones, torch.tensor([7, 8, 9])])
    with_pads, _ = model(padded[None], torch.tensor([6]), tokens[None])
    changed = phones.clone()
    changed[0] = (changed[0] + 1) % 40
    other, _ = model(changed[None], torch.tensor([6]), tokens[None])
    assert torch.allclose(base, with_pads, atol=1e-5)
    assert (base - other).abs().max() > 1e-3


def test_later_tokens_do_not_change_earlier_predictions(model: Semantic) -> None:
    phones, tokens = random_item(5, 10, 5)
    changed = tokens.clone()
    changed[7:] = (changed[7:] + 3) % 30
    one, _ = model(phones[None], torch.tensor([5]), tokens[None])
    two, _ = model(phones[None], torch.tensor([5]), changed[None])
    assert torch.allclose(one[:, :8], two[:, :8], atol=1e-5)
    assert not torch.allclose(one[:, 8:], two[:, 8:], atol=1e-3)


@pytest.mark.parametrize("prompt_size", [0, 1, 6])
def test_cached_decoding_equals_teacher_forcing(model: Semantic, prompt_size: int) -> None:
    phones, tokens = random_item(7, 6, 6)
    take = model.generate(phones, tokens[:prompt_size], GREEDY, torch.Generator().manual_seed(0), max_steps=9)
    history = tokens[:prompt_size]
    for token in take.tokens:
        logits, _ = model(phones[None], torch.tensor([7]), history[None])
        last = logits[0, -1].clone()
        last[model.config.eos] = -torch.inf
        assert int(last.argmax()) == int(token)
        history = torch.cat([history, token[None]])


def test_the_same_seed_gives_the_same_take(model: Semantic) -> None:
    phones, tokens = random_item(7, 6, 7)
    takes = [
        model.generate(phones, tokens, Sampling(), torch.Generator().manual_seed(seed), max_steps=30).tokens.tolist()
        for seed in (3, 3, 4)
    ]
    assert takes[0] == takes[1] != takes[2]


def test_a_take_that_never_ends_says_so(model: Semantic) -> None:
    quiet = Semantic(model.config).eval()
    quiet.load_state_dict(model.state_dict())
    with torch.no_grad():
        quiet.predict.weight[quiet.config.eos] = 0
        quiet.predict.weight[:-1] += 0.0
    phones, tokens = random_item(7, 6, 8)
    take = quiet.generate(phones, tokens, Sampling(top_k=3), torch.Generator().manual_seed(0), max_steps=20)
    assert take.stop == "max_steps" and len(take.tokens) == 20


def test_eos_waits_for_the_first_steps_and_then_ends() -> None:
    logits = torch.zeros(5)
    logits[4] = 9.0
    generator = torch.Generator().manual_seed(0)
    assert pick(logits, [], FIRST_EOS_STEP - 1, 4, Sampling(), generator)[1] is False
    assert pick(logits, [], FIRST_EOS_STEP, 4, Sampling(), generator)[1] is True


def test_the_penalty_counts_a_repeated_token_once() -> None:
    logits = torch.tensor([2.0, 1.9, -9.0])
    generator = torch.Generator().manual_seed(0)
    greedy = Sampling(top_k=1, penalty=1.1)
    assert pick(logits, [0, 0, 0], 20, 2, greedy, generator)[0] == 1
    assert pick(torch.tensor([2.2, 1.9, -9.0]), [0, 0, 0], 20, 2, greedy, generator)[0] == 0


def test_top_p_keeps_at_least_the_likeliest() -> None:
    logits = torch.tensor([5.0, 1.0, 0.0, -9.0])
    draws = {
        pick(logits, [], 20, 3, Sampling(top_k=0, top_p=0.01), torch.Generator().manual_seed(s))[0] for s in range(20)
    }
    assert draws == {0}


def test_the_published_sizes_give_the_published_number_of_parameters() -> None:
    with torch.device("meta"):
        big = Semantic(SemanticConfig(codes=1024, hidden=512, heads=16, ffn=2048, layers=24, bert=1024))
    assert sum(p.numel() for p in big.parameters()) == 77_606_402


def test_weights_survive_a_file(model: Semantic, tmp_path) -> None:  # type: ignore[no-untyped-def]
    model.save(tmp_path / "s.safetensors", {"voice": "x"})
    first = (tmp_path / "s.safetensors").read_bytes()
    again = Semantic.load(tmp_path / "s.safetensors")
    again.save(tmp_path / "s.safetensors", {"voice": "x"})
    assert again.config == model.config
    assert (tmp_path / "s.safetensors").read_bytes() == first
