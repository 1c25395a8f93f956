"""Preference: the published figures, spoilt copies, pads, and its part in the training of s1."""

from __future__ import annotations

import pytest
import torch

from tests.golden import ints, load, u
from voice.nets.semantic import Semantic, SemanticConfig
from voice.train.guide import IGNORE
from voice.train.preference import preference_loss, rejected, sequence_log_probs
from voice.train.semantic import Line, SemanticTrainer, next_tokens

SMALL = SemanticConfig(phones=12, codes=12, hidden=32, heads=2, ffn=64, layers=2)


def test_the_loss_is_the_published_one() -> None:
    golden = load("s1")["dpo"]
    chosen = sequence_log_probs(3 * u("dpo.a", [2, 6, 11]), ints("dpo.la", [2, 6], 11))
    spoilt = sequence_log_probs(3 * u("dpo.b", [2, 8, 11]), ints("dpo.lb", [2, 8], 11))
    assert chosen.tolist() == pytest.approx(golden["chosen_logps"], rel=1e-5)
    assert spoilt.tolist() == pytest.approx(golden["rejected_logps"], rel=1e-5)
    assert preference_loss(chosen, spoilt, golden["beta"]).item() == pytest.approx(golden["loss"], rel=1e-4)


def test_pads_count_nothing() -> None:
    logits, targets = u("pads", [1, 6, 5]), torch.tensor([[1, 2, 3, IGNORE, IGNORE, IGNORE]])
    short = sequence_log_probs(logits[:, :3], targets[:, :3])
    assert sequence_log_probs(logits, targets).item() == pytest.approx(short.item(), rel=1e-6)


def test_a_spoilt_copy_says_a_stretch_twice_or_leaves_it_out() -> None:
    tokens, dice = torch.arange(9), torch.Generator().manual_seed(0)
    longer = shorter = 0
    for _ in range(200):
        found = rejected(tokens, dice).tolist()
        # The places where the copy does not go on with the next token: one, or none where the start or end is cut.
        jumps = [n for n in range(1, len(found)) if found[n] != found[n - 1] + 1]
        if len(found) > 9:
            longer += 1
            assert len(jumps) == 1 and found[0] == 0 and found[-1] == 8
            back = found[jumps[0] - 1] - found[jumps[0]] + 1
            assert back == len(found) - 9  # goes back over the stretch that is said twice
        else:
            shorter += 1
            assert len(found) < 9 and len(jumps) <= 1 and found == sorted(set(found)) and found[-1] == 8
    assert 70 < longer < 130 and longer + shorter == 200


def test_a_copy_depends_on_the_seed_alone() -> None:
    def copies(seed: int) -> list[list[int]]:
        dice = torch.Generator().manual_seed(seed)
        return [rejected(torch.arange(20), dice).tolist() for _ in range(5)]

    assert copies(1) == copies(1) != copies(2)
    torch.manual_seed(3)
    first = rejected(torch.arange(20)).tolist()
    torch.manual_seed(3)
    assert rejected(torch.arange(20)).tolist() == first


def test_one_token_has_nothing_to_spoil() -> None:
    assert rejected(torch.tensor([7])).tolist() == [7]
    assert 1 <= len(rejected(torch.tensor([7, 8]))) <= 3


@pytest.mark.parametrize("first", [True, False])
def test_what_is_to_be_predicted(first: bool) -> None:
    found = next_tokens(torch.tensor([[4, 5, 6], [7, 0, 0]]), torch.tensor([3, 1]), 9, first)
    assert found.tolist() == [[4 if first else IGNORE, 5, 6, 9], [7 if first else IGNORE, 9, IGNORE, IGNORE]]


@torch.no_grad()
def margin(model: Semantic, lines: list[Line]) -> float:
    """Mean log-probability of the lines over that of fixed spoilt copies."""
    dice, total = torch.Generator().manual_seed(5), 0.0
    model.eval()
    for line in lines:
        both = []
        for tokens in (line.tokens, rejected(line.tokens, dice)):
            logits, _ = model(line.phones[None], torch.tensor([len(line.phones)]), tokens[None])
            targets = next_tokens(tokens[None], torch.tensor([len(tokens)]), model.config.eos)
            both.append(sequence_log_probs(logits, targets).item())
        total += both[0] - both[1]
    return total / len(lines)


def test_s1_learns_to_prefer_a_line_over_its_spoilt_copy() -> None:
    dice = torch.Generator().manual_seed(1)
    phones = [torch.randint(0, 12, (6,), generator=dice) for _ in range(8)]
    lines = [Line(row, row.repeat_interleave(2)) for row in phones]
    found = {}
    for beta in (0.0, 0.2):
        torch.manual_seed(0)
        model = Semantic(SMALL)
        trainer = SemanticTrainer(model, lambda n: lines, [], lambda n: 3e-3, preference=beta, autocast=False)
        logs = []
        for number in range(1, 41):
            torch.manual_seed(number)
            logs.append(trainer.step(number))
        found[beta] = margin(model, lines)
        assert ("preference" in logs[0]) == (beta > 0)
        if beta:
            assert logs[-1]["preference"] < 0.7 * logs[0]["preference"]
    assert found[0.2] > found[0.0]
