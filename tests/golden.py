"""Weights and inputs made by a formula, and summary records of results: networks are checked without a checkpoint.

The rules are those of the golden fixtures' README: a stream of 32-bit hashes seeded with a name, a rule that turns
the stream into weights by state-dict key, and records of {shape, n, mean, std, absmax, samples} to compare with.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

FIXTURES = Path(__file__).parent / "fixtures"
BLOCK = 1 << 17  # numbers hashed at a time: small enough to stay in the processor's cache
SAMPLES = 32
CHECKED: list[float] = []  # the error of every record checked in this run, for its summary


def load(name: str) -> Any:
    """Parsed `tests/fixtures/golden/{name}.json`."""
    return json.loads((FIXTURES / "golden" / f"{name}.json").read_text(encoding="utf-8"))


def keys(name: str) -> dict[str, tuple[int, ...]]:
    """State-dict key -> shape, of `tests/fixtures/keys/{name}.json`, whether kept in full or as {key: shape}."""
    read = json.loads((FIXTURES / "keys" / f"{name}.json").read_text(encoding="utf-8"))
    listed = read.get("keys", read)
    return {key: tuple(about["shape"] if isinstance(about, dict) else about) for key, about in listed.items()}


def _blocks(name: str, count: int) -> Iterator[tuple[int, np.ndarray]]:
    """Start and hashes (uint32) of every block of the first `count` numbers of the stream called `name`."""
    seed = np.uint32(zlib.crc32(name.encode("utf-8")))
    shift = np.empty(min(BLOCK, count), np.uint32)
    ramp = np.arange(len(shift), dtype=np.uint32) * np.uint32(2654435761)
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        offset = np.uint32((start * 2654435761 + int(seed)) % 2**32)
        x, y = ramp[:size] + offset, shift[:size]
        for bits, factor in ((16, 2246822519), (13, 3266489917), (16, None)):
            np.right_shift(x, np.uint32(bits), out=y)
            np.bitwise_xor(x, y, out=x)
            if factor is not None:
                np.multiply(x, np.uint32(factor), out=x)  # wraps at 2^32, as the stream is defined
        yield start, x


def u(name: str, shape: Sequence[int]) -> Tensor:
    """float32 `shape`, row-major, uniform in [-1, 1): the stream called `name`."""
    count = math.prod(shape)
    out = np.empty(count, np.float32)
    for start, x in _blocks(name, count):
        out[start : start + len(x)] = x * (2.0 / 2**32) - 1.0  # in float64, rounded once on the way in
    return torch.from_numpy(out).reshape(tuple(shape))


def ints(name: str, shape: Sequence[int], m: int) -> Tensor:
    """int64 `shape`, row-major, in [0, m): the stream called `name` modulo m."""
    count = math.prod(shape)
    out = np.empty(count, np.int64)
    for start, x in _blocks(name, count):
        out[start : start + len(x)] = x % np.uint32(m)
    return torch.from_numpy(out).reshape(tuple(shape))


def weight(key: str, like: Tensor) -> Tensor:
    """What the weight rule gives the tensor called `key`, in `like`'s shape and dtype; `like` itself for inv_freq."""
    last, shape = key.rsplit(".", 1)[-1], tuple(like.shape)
    if last == "inv_freq":
        return like
    if last == "num_batches_tracked":
        return torch.zeros(shape, dtype=like.dtype)
    if last in ("inited", "cluster_size"):
        return torch.ones(shape, dtype=like.dtype)
    if last in ("running_var", "alpha", "weight_g") or (last in ("gamma", "weight") and len(shape) == 1):
        return u(key, shape).mul_(0.1).add_(1).to(like.dtype)
    if last in ("running_mean", "beta") or "bias" in last or len(shape) <= 1:
        return u(key, shape).mul_(0.1).to(like.dtype)
    return u(key, shape).mul_(math.sqrt(3 / math.prod(shape[1:]))).to(like.dtype)


def fill(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """New values for all of `state`, official keys -> tensors (of which shape and dtype count), by the weight rule."""
    return {key: weight(key, like) for key, like in state.items()}


def fill_module(module: nn.Module, rename: Callable[[str], str] = lambda key: key) -> None:
    """Set every parameter and buffer of `module` in place; `rename` turns its key into the official one."""
    with torch.no_grad():
        for key, tensor in module.state_dict().items():
            tensor.copy_(weight(rename(key), tensor))


def summary(tensor: Tensor) -> dict[str, Any]:
    """The record of `tensor`: shape, n, mean, population std, absmax, and up to 32 evenly spaced elements."""
    flat = tensor.detach().cpu().double().flatten()
    n = flat.numel()
    at = range(n) if n <= SAMPLES else [i * (n - 1) // (SAMPLES - 1) for i in range(SAMPLES)]
    return {
        "shape": list(tensor.shape),
        "n": n,
        "mean": flat.mean().item(),
        "std": flat.std(correction=0).item(),
        "absmax": flat.abs().max().item(),
        "samples": flat[list(at)].tolist(),
    }


def error(record: Mapping[str, Any], tensor: Tensor) -> float:
    """Largest relative error of mean, std, absmax and samples; values below the record's std count relative to it.

    Raises AssertionError where shape or number of samples differ.
    """
    found = summary(tensor)
    for name in ("shape", "n"):
        assert found[name] == record[name], f"{name} {found[name]}, not {record[name]}"
    assert len(found["samples"]) == len(record["samples"]), "number of samples"
    names = ("mean", "std", "absmax")
    want = np.array([*(record[name] for name in names), *record["samples"]], np.float64)
    got = np.array([*(found[name] for name in names), *found["samples"]], np.float64)
    assert np.isfinite(got).all(), "not finite"
    scale = np.maximum(np.abs(want), max(record["std"], 1e-12))
    return float((np.abs(got - want) / scale).max())


def check(record: Mapping[str, Any], tensor: Tensor, tol: float = 1e-3) -> None:
    """Raises AssertionError unless `tensor` has the record's shape and is within `tol` of it (see `error`)."""
    worst = error(record, tensor)
    assert worst <= tol, f"relative error {worst:.2e} over {tol:.0e}: {summary(tensor)} against {dict(record)}"
    CHECKED.append(worst)
