"""Tensors in and out of safetensors files, with one JSON metadata key, and the checks of their sha256."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes

from voice.errors import UserError
from voice.files import sha256_file, write_bytes

META_KEY = "reprovoice"  # one key only: with several, the writer's order of keys varies and so do the bytes


def save_tensors(path: Path, tensors: dict[str, torch.Tensor], meta: dict[str, Any] | None = None) -> None:
    """Save `tensors` (any dtype and device) with `meta` as JSON; same values give the same bytes."""
    ready = {name: tensors[name].detach().cpu().contiguous() for name in sorted(tensors)}
    note = {META_KEY: json.dumps(meta or {}, ensure_ascii=False, sort_keys=True)}
    write_bytes(path, to_bytes(ready, metadata=note))


def load_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read every tensor and the metadata of a safetensors file.

    Raises UserError when the file is missing, truncated or not a safetensors file.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such weights file", "run `dvc repro` first")
    try:
        with safe_open(str(path), framework="pt") as file:
            meta = json.loads((file.metadata() or {}).get(META_KEY, "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, meta  # noqa: SIM118
    except (SafetensorError, json.JSONDecodeError, OSError) as error:
        raise UserError(f"{path}: not a readable safetensors file: {error}", "restore the file") from error


def read_meta(path: Path) -> dict[str, Any]:
    """The metadata of a safetensors file without loading its tensors."""
    with safe_open(str(path), framework="pt") as file:
        return json.loads((file.metadata() or {}).get(META_KEY, "{}"))


def half(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Floating tensors as float16, the rest unchanged: how bases and voices are stored."""
    return {name: t.half() if t.is_floating_point() else t for name, t in state.items()}


def check_sha256(path: Path, expected: str) -> None:
    """Raise UserError unless `path` hashes to `expected`."""
    if not path.is_file():
        raise UserError(f"{path}: missing", "restore it from Git or its source")
    found = sha256_file(path)
    if found != expected:
        raise UserError(
            f"{path}: sha256 is {found[:16]}..., expected {expected[:16]}...",
            "the file was changed or cut short; restore it, or update the card if the change is meant",
        )
