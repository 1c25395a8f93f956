"""Wrong tokens in training: how many, which ones, and that nothing else moves."""

from __future__ import annotations

import torch

from voice.train.corrupt import corrupted, nearest

CODES = 40


def drawn(near: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    tokens = torch.randint(0, CODES, (200, 50))
    return tokens, corrupted(tokens, CODES, 0.5, near)


def test_up_to_the_share_of_a_row_is_replaced_and_all_are_codes() -> None:
    for near in (None, nearest(torch.rand(CODES, 4), 3)):
        tokens, found = drawn(near)
        changed = (found != tokens).float().mean(1)
        assert 0.15 < float(changed.mean()) < 0.3 and float(changed.max()) < 0.75
        assert found.shape == tokens.shape and int(found.min()) >= 0 and int(found.max()) < CODES


def test_nothing_is_replaced_at_a_share_of_zero() -> None:
    tokens = torch.arange(CODES)[None]
    assert torch.equal(corrupted(tokens, CODES, 0.0), tokens)


def test_neighbours_are_the_codes_next_in_the_codebook_and_never_the_code_itself() -> None:
    line = torch.arange(CODES, dtype=torch.float32)[:, None]
    near = nearest(line, 2)
    assert sorted(near[10].tolist()) == [9, 11] and sorted(near[0].tolist()) == [1, 2]
    assert nearest(line[:3], 8).shape == (3, 2)


def test_neighbours_stand_for_a_code_far_more_often_than_others_do() -> None:
    line = torch.arange(CODES, dtype=torch.float32)[:, None]
    near = nearest(line, 2)
    tokens, found = drawn(near)
    before = torch.nn.functional.pad(tokens[:, :-1], (1, 0))
    wrong = (found != tokens) & (found != before)
    close = (found - tokens).abs() <= 2
    assert 0.4 < float((close & wrong).sum() / wrong.sum()) < 0.7
    tokens, found = drawn(None)
    wrong = (found != tokens) & (found != before)
    assert float(((found - tokens).abs() <= 2)[wrong].float().mean()) < 0.2
