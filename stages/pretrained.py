"""Check the base weights against their card and put them where the other stages read them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from stages.common import base_dir, run
from stages.params import load_params
from voice.errors import UserError
from voice.files import sha256_file, write_bytes

SOURCES = Path("models/base")
_FIELDS = {"sha256", "bytes"}


def read_card(folder: Path) -> dict[str, Any]:
    """card.json of a base: `files` maps names to sha256 and bytes, `licence` and `data` say its origin.

    Raises UserError when it is missing, not JSON, or lacks a part.
    """
    path = folder / "card.json"
    if not path.is_file():
        known = sorted(p.parent.name for p in folder.parent.glob("*/card.json"))
        raise UserError(
            f"params.yaml: base = {folder.name!r}: no {path}",
            f"known: {', '.join(known) or 'none'}",
        )
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: not JSON: {error}", "restore it from Git") from error
    for key in ("files", "licence", "data"):
        if not card.get(key):
            raise UserError(
                f"{path}: {key}: missing",
                "a base card states its files, licence and data",
            )
    for name, entry in card["files"].items():
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise UserError(f"{path}: files.{name}: a plain name that ends in .safetensors")
        if not isinstance(entry, dict) or not set(entry) >= _FIELDS:
            raise UserError(f"{path}: files.{name}: needs {' and '.join(sorted(_FIELDS))}")
    return dict(card)


def main() -> None:
    base = load_params().base
    source, target = SOURCES / base, base_dir(base)
    card = read_card(source)
    for name, entry in card["files"].items():
        file = source / name
        if not file.is_file():
            raise UserError(f"{file}: missing, the card lists it", "restore it from Git")
        size = file.stat().st_size
        if size != entry["bytes"]:
            raise UserError(
                f"{file}: {size} bytes, the card says {entry['bytes']}",
                "restore it from Git",
            )
        if (found := sha256_file(file)) != entry["sha256"]:
            raise UserError(
                f"{file}: sha256 is {found[:16]}..., the card says {entry['sha256'][:16]}...",
                "restore it from Git",
            )
    shutil.rmtree(target, ignore_errors=True)
    for name in [*card["files"], "card.json"]:
        write_bytes(target / name, (source / name).read_bytes())
        print(
            f"{target / name}: {(target / name).stat().st_size} bytes, checked",
            flush=True,
        )


if __name__ == "__main__":
    run(main)
