"""Weights in few bits: whole numbers of a few bits packed into bytes, and float16 scales, one a group of a row.

Symmetric, rounded to nearest; of a few scales for each group the one with the least squared error is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHRINKS = np.linspace(1.0, 0.7, 13)  # of the scale at which the largest weight is just reached


@dataclass(frozen=True)
class Scheme:
    """`bits` a weight, 2 to 8; a scale for every `group` weights of a row, or for the whole row where `group` is 0.

    Raises ValueError on other numbers.
    """

    bits: int
    group: int = 0

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= 8 or self.group < 0:
            raise ValueError(f"{self.bits} bits in groups of {self.group}: 2 to 8 bits, groups of 0 or more")


@dataclass(frozen=True)
class Packed:
    """A weight of `shape` as bytes uint8 [rows, ceil(columns * bits / 8)] and scales float16 [rows, groups]."""

    data: np.ndarray
    scales: np.ndarray
    shape: tuple[int, ...]
    scheme: Scheme

    @property
    def nbytes(self) -> int:
        return int(self.data.nbytes + self.scales.nbytes)


def pack(weight: np.ndarray, scheme: Scheme) -> Packed:
    """A weight [rows, ...] in few bits; a row is everything that makes one output."""
    rows = weight.reshape(len(weight), -1).astype(np.float32)
    size, most = scheme.group or rows.shape[1], 2 ** (scheme.bits - 1) - 1
    short = -rows.shape[1] % size
    groups = np.pad(rows, ((0, 0), (0, short))).reshape(len(rows), -1, size)
    top = np.abs(groups).max(-1) / most
    best, scales = np.full(top.shape, np.inf), np.zeros(top.shape, dtype=np.float16)
    for shrink in SHRINKS:
        tried = (top * shrink).astype(np.float16)
        error = np.square(_round(groups, tried, most) * tried[..., None].astype(np.float32) - groups).sum(-1)
        scales, best = np.where(error < best, tried, scales), np.minimum(error, best)
    whole = _round(groups, scales, most).reshape(len(rows), -1)[:, : rows.shape[1]]
    places = ((whole.astype(np.int16) + most)[..., None] >> np.arange(scheme.bits)) & 1
    data = np.packbits(places.astype(np.uint8).reshape(len(rows), -1), axis=1, bitorder="little")
    return Packed(data, scales, weight.shape, scheme)


def unpack(packed: Packed) -> np.ndarray:
    """The weight again, float32 of its shape."""
    scheme, rows = packed.scheme, packed.shape[0]
    columns = int(np.prod(packed.shape[1:]))
    places = np.unpackbits(packed.data, axis=1, count=columns * scheme.bits, bitorder="little")
    values = places.reshape(rows, columns, scheme.bits).astype(np.int16) << np.arange(scheme.bits, dtype=np.int16)
    whole = values.sum(-1) - (2 ** (scheme.bits - 1) - 1)
    scales = np.repeat(packed.scales.astype(np.float32), scheme.group or columns, axis=1)[:, :columns]
    return (whole * scales).astype(np.float32).reshape(packed.shape)


def _round(groups: np.ndarray, scales: np.ndarray, most: int) -> np.ndarray:
    """Nearest whole numbers, no larger than `most`, of groups [R, G, N] under scales [R, G]."""
    safe = np.where(scales > 0, scales, 1).astype(np.float32)[..., None]
    return np.clip(np.rint(groups / safe), -most, most)
