"""Which word is spoken when: one CTC forced alignment of a whole transcript against frame log-probabilities.

A segment's text thus follows from the audio, never from the order of lines. Method: Viterbi over the CTC
lattice (Graves et al. 2006), as torchaudio's `forced_align` does it; blank is unit 0.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, pairwise

import torch
from torchaudio.functional import forced_align

from voice.errors import UserError
from voice.text import Reading
from voice.text.units import units_of
from voice.transcript import Token, join, tokens

_LARGEST = 4_000_000_000  # cells of the lattice, one byte each


@dataclass(frozen=True)
class Word:
    """A written word and the CTC units of its sound (none for a sign that is not spoken)."""

    token: Token
    units: tuple[int, ...]


@dataclass(frozen=True)
class Placed:
    """Frames [start, end) of one unit or word, and its score: mean probability of its units, in [0, 1]."""

    start: int
    end: int
    score: float


def script_words(lines: Sequence[str], read: Callable[[str], Reading]) -> tuple[list[Word], list[str]]:
    """Words of all lines with their units, and notes about words that had to be read out of context.

    `read` turns text into a Reading; it sees whole lines, for readings that depend on context.
    """
    words: list[Word] = []
    notes: list[str] = []
    for line in lines:
        written = tokens(line)
        if written and written[0].text[0].isascii():  # a line break stands for a blank between Latin words
            written[0] = Token(written[0].text, spaced=True)
        reading = read(line)
        notes += reading.warnings
        units = _line_units(written, reading, read, notes)
        words += [Word(token, tuple(found)) for token, found in zip(written, units, strict=True)]
    return words, notes


def _entries(reading: Reading) -> list[tuple[str, list[int]]]:
    """(word, units) of each sounding entry of a reading."""
    found = []
    at = 0
    for word, count in zip(reading.words, reading.word2ph, strict=True):
        units = units_of(reading.phones[at : at + count])
        at += count
        if units:
            found.append((Token(word, False).core or word, units))
    return found


def _line_units(
    written: list[Token],
    reading: Reading,
    read: Callable[[str], Reading],
    notes: list[str],
) -> list[list[int]]:
    """Units of each written word: matched to the entries of the line's reading, else read by itself."""
    entries = _entries(reading)
    if len(entries) == len(written):
        return [units for _, units in entries]
    result: list[list[int]] = [[] for _ in written]
    matcher = difflib.SequenceMatcher(None, [t.core for t in written], [name for name, _ in entries], autojunk=False)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        spoken = [units for _, units in entries[j1:j2]]
        if kind == "equal":
            result[i1:i2] = spoken
        elif i2 - i1 == 1:  # one written word, several spoken ones: a number, a hyphen
            result[i1] = list(chain(*spoken))
        elif i2 > i1:
            for i in range(i1, i2):
                result[i] = list(chain(*(units for _, units in _entries(read(written[i].text)))))
            notes.append(f"read word by word, out of context: {join(written[i1:i2])}")
        elif i1 > 0:
            result[i1 - 1] = [*result[i1 - 1], *chain(*spoken)]
        else:
            notes.append(f"{len(spoken)} spoken units before the first word of: {join(written)}")
    return result


def place_units(log_probs: torch.Tensor, units: Sequence[int]) -> list[Placed]:
    """Frames of each unit of `units` under the best CTC path through `log_probs` [T, U].

    Raises UserError when the units cannot fit into T frames, or the lattice would not fit into memory.
    """
    frames = log_probs.shape[0]
    needed = len(units) + sum(a == b for a, b in pairwise(units))
    if not units:
        raise UserError(
            "the transcript holds no readable word",
            "check its language and the voice's `lang`",
        )
    if needed > frames:
        raise UserError(
            f"the transcript needs {needed} frames, the speech has {frames}",
            "the transcript is of a longer recording; cut it to what is spoken",
        )
    if frames * (2 * len(units) + 1) > _LARGEST:
        raise UserError(f"{frames / 50:.0f} s of speech with {len(units)} sounds is too much to align at once")
    targets = torch.tensor([list(units)], dtype=torch.int32)
    path, scores = forced_align(log_probs.float().cpu().contiguous()[None], targets, blank=0)
    placed: list[Placed] = []
    at = 0
    # Runs of one label are one unit: the path puts a blank between two equal units.
    for label, run in groupby(path[0].tolist()):
        size = sum(1 for _ in run)
        if label != 0:
            placed.append(Placed(at, at + size, float(scores[0, at : at + size].exp().mean())))
        at += size
    return placed


def place_words(log_probs: torch.Tensor, words: Sequence[Word]) -> list[Placed | None]:
    """Frames and score of each word in `log_probs` [T, U]; None where it has no sound. Raises UserError."""
    spans = place_units(log_probs, [unit for word in words for unit in word.units])
    result: list[Placed | None] = []
    at = 0
    for word in words:
        own = spans[at : at + len(word.units)]
        at += len(word.units)
        score = sum(s.score for s in own) / len(own) if own else 0.0
        result.append(Placed(own[0].start, own[-1].end, score) if own else None)
    return result


def share_out(placed: Sequence[Placed | None], frames: Sequence[int]) -> list[list[int]]:
    """Word numbers of each segment, by the middle frame of each word; `frames` are the segments' lengths.

    A word without sound goes with the word before it (the first ones with the first segment that has words).
    """
    ends = torch.tensor(list(frames)).cumsum(0)
    shares: list[list[int]] = [[] for _ in frames]
    first = next((p for p in placed if p is not None), None)
    current = 0 if first is None else _segment(first, ends)
    for number, span in enumerate(placed):
        if span is not None:
            current = _segment(span, ends)
        shares[current].append(number)
    return shares


def _segment(span: Placed, ends: torch.Tensor) -> int:
    middle = (span.start + span.end - 1) // 2
    return int(torch.searchsorted(ends, torch.tensor(middle), right=True))
