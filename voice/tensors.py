"""Checks of tensors where they enter or leave a file: shape, dtype, finiteness; file and key are named."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from voice.errors import UserError

_HINT = "delete the file and run `dvc repro`"


def check_tensor(
    name: str,
    tensor: torch.Tensor,
    shape: Sequence[int | None],
    dtype: torch.dtype | None = None,
    *,
    finite: bool = True,
) -> torch.Tensor:
    """Return `tensor` when it has `shape` (None stands for any length), `dtype` and no NaN or infinity.

    `name` is "file: key". Raises UserError that says what was found and what the rule is.
    """
    found = tuple(tensor.shape)
    if len(found) != len(shape) or any(w not in (None, h) for w, h in zip(shape, found, strict=False)):
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise UserError(f"{name}: shape is {list(found)}, expected [{wanted}]", _HINT)
    if tensor.numel() == 0:
        raise UserError(f"{name}: holds no value, shape is {list(found)}", _HINT)
    if dtype is not None and tensor.dtype != dtype:
        raise UserError(
            f"{name}: dtype is {tensor.dtype}, expected {dtype}".replace("torch.", ""),
            _HINT,
        )
    if finite and tensor.is_floating_point():
        bad = int((~torch.isfinite(tensor)).sum())
        if bad:
            raise UserError(f"{name}: {bad} of {tensor.numel()} values are not finite", _HINT)
    return tensor
