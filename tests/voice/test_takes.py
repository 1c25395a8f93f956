"""Choosing among takes: what a row of tokens says, and which of several is kept."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from voice.nets.decoding import Take
from voice.takes import Heard, best_take
from voice.text.symbols import SYMBOLS
from voice.text.units import CTC_UNITS, unit_of

IDS = {symbol: number for number, symbol in enumerate(SYMBOLS)}
HELLO = ["HH", "AH0", "L", "OW1", "."]
PHONES = torch.tensor([IDS[p] for p in HELLO])
UNITS = [unit_of(p) for p in HELLO[:-1]]


@pytest.fixture(scope="module")
def heard() -> Heard:
    """Token n stands for unit n, nine times in ten."""
    tokens = torch.arange(len(CTC_UNITS)).repeat_interleave(10)
    units = tokens.clone()
    units[::10] = 0
    return Heard.count(tokens, units, len(CTC_UNITS) + 5)


def row(*units: int | None) -> torch.Tensor:
    return torch.tensor([u for u in units if u is not None]).repeat_interleave(2)


def test_the_text_itself_reads_better_than_any_other_order(heard: Heard) -> None:
    right = heard.mismatch(row(*UNITS), PHONES)
    assert right < 1
    assert heard.mismatch(row(*UNITS[::-1]), PHONES) > right + 1
    assert heard.mismatch(row(*UNITS[:2]), PHONES) > right + 1  # words left out
    assert heard.mismatch(row(*UNITS, *UNITS), PHONES) > right + 1  # said twice
    assert heard.mismatch(torch.tensor([1, 2]), PHONES) == math.inf  # no room for four units


def test_unseen_tokens_tell_nothing_and_the_table_survives_a_file(heard: Heard, tmp_path: Path) -> None:
    assert torch.allclose(heard.table.exp().sum(-1), torch.ones(len(CTC_UNITS) + 5), atol=1e-5)
    assert heard.table[-1].exp().max() < 0.2
    heard.save(tmp_path / "heard.safetensors")
    assert torch.allclose(Heard.load(tmp_path / "heard.safetensors").table, heard.table, atol=2e-2)


def takes(*made: Take) -> Iterator[Take]:
    return iter(made)


GOOD = Take(row(*UNITS), "eos")
OTHER = Take(row(*UNITS[::-1]), "eos")
SHORT = Take(row(*UNITS)[:3], "eos")
ENDLESS = Take(row(*UNITS, *UNITS), "max_steps")


def test_the_best_reading_take_is_kept_and_a_good_one_ends_the_search(heard: Heard) -> None:
    found = best_take(takes(ENDLESS, OTHER, GOOD, SHORT).__next__, PHONES, heard, 4, good=1.0)
    assert found.take is GOOD and found.drawn == 3 and found.mismatch < 1
    found = best_take(takes(GOOD, OTHER, SHORT, ENDLESS).__next__, PHONES, heard, 4, good=0.0)
    assert found.take is GOOD and found.drawn == 4


def test_without_a_table_the_first_sound_take_is_kept() -> None:
    found = best_take(takes(SHORT, ENDLESS, OTHER, GOOD).__next__, PHONES, None, 4, good=1.0)
    assert found.take is OTHER and found.drawn == 3 and math.isnan(found.mismatch)


def test_failed_takes_longest_that_ended_before_a_runaway(heard: Heard) -> None:
    shorter = Take(SHORT.tokens[:2], "eos")
    assert best_take(takes(ENDLESS, shorter, SHORT).__next__, PHONES, heard, 3, good=1.0).take is SHORT
    assert best_take(takes(ENDLESS, ENDLESS).__next__, PHONES, heard, 2, good=1.0).take is ENDLESS
