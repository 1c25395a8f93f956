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
    """A weight of `shape` as bytes uint8 [rows, ceil(columns * bits / 8)] and scales float16 [rows, groups].

    Scales are in units of `unit`, a power of two that brings the largest near the end of float16: the small ones then
    keep all their digits.
    """

    data: np.ndarray
    scales: np.ndarray
    shape: tuple[int, ...]
    scheme: Scheme
    unit: float

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
    unit = _unit(top)
    best, scales = np.full(top.shape, np.inf), np.zeros(top.shape, dtype=np.float16)
    for shrink in SHRINKS:
        tried = (top * shrink / unit).astype(np.float16)
        whole = _round(groups, _true(tried, unit), most)
        error = np.square(whole * _true(tried, unit)[..., None] - groups).sum(-1)
        scales, best = np.where(error < best, tried, scales), np.minimum(error, best)
    # Clipping may take the largest scale below its power of two; in its own unit, packing again changes no byte.
    taken, unit = unit, _unit(_true(scales, unit))
    scales = (scales.astype(np.float32) * np.float32(taken / unit)).astype(np.float16)
    whole = _round(groups, _true(scales, unit), most).reshape(len(rows), -1)[:, : rows.shape[1]]
    places = ((whole.astype(np.int16) + most)[..., None] >> np.arange(scheme.bits)) & 1
    data = np.packbits(places.astype(np.uint8).reshape(len(rows), -1), axis=1, bitorder="little")
    return Packed(data, scales, weight.shape, scheme, unit)


def unpack(packed: Packed) -> np.ndarray:
    """The weight again, float32 of its shape."""
    scheme, rows = packed.scheme, packed.shape[0]
    columns = int(np.prod(packed.shape[1:]))
    places = np.unpackbits(packed.data, axis=1, count=columns * scheme.bits, bitorder="little")
    values = places.reshape(rows, columns, scheme.bits).astype(np.int16) << np.arange(scheme.bits, dtype=np.int16)
    whole = values.sum(-1) - (2 ** (scheme.bits - 1) - 1)
    scales = np.repeat(_true(packed.scales, packed.unit), scheme.group or columns, axis=1)[:, :columns]
    return (whole * scales).astype(np.float32).reshape(packed.shape)


def _unit(scales: np.ndarray) -> float:
    """The power of two that brings the largest of `scales` near the end of float16."""
    return float(2.0 ** (np.floor(np.log2(scales.max())) - 14)) if scales.any() else 1.0


def _true(scales: np.ndarray, unit: float) -> np.ndarray:
    return scales.astype(np.float32) * np.float32(unit)


def _round(groups: np.ndarray, scales: np.ndarray, most: int) -> np.ndarray:
    """Nearest whole numbers, no larger than `most`, of groups [R, G, N] under scales [R, G]."""
    safe = np.where(scales > 0, scales, 1).astype(np.float32)[..., None]
    return np.clip(np.rint(groups / safe), -most, most)
