"""Check the base weights against their card and put them where the other stages read them.

A base has its weights beside its card (`files`), or its card names published files, which are fetched and converted
(`sources`). Either way `aligner.safetensors` is added: a content encoder with a CTC head, for the transcript.
"""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

from stages.common import base_dir, run
from stages.params import load_params
from voice.errors import UserError
from voice.files import sha256_file, write_bytes, write_json

SOURCES = Path("models/base")
CONTENT, ALIGNER = "content.safetensors", "aligner.safetensors"
HEARING = "mini"  # the base whose content encoder aligns where a published one, which has no CTC head, cannot
_FIELDS = {"sha256", "bytes"}
_RESTORE = "restore it from Git"


def read_card(folder: Path) -> dict[str, Any]:
    """card.json of a base, with `licence` and `data`, which say its origin, and either of two lists.

    `files` maps names to sha256 and bytes of weights that lie beside the card; `sources` maps names to the published
    files they are made from. Raises UserError when the card is missing, not JSON, or lacks a part.
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
        raise UserError(f"{path}: not JSON: {error}", _RESTORE) from error
    if "files" in card and "sources" in card:
        raise UserError(f"{path}: files and sources: a card has one of them", _RESTORE)
    listed = "sources" if "sources" in card else "files"
    for key in (listed, "licence", "data"):
        if not card.get(key):
            raise UserError(f"{path}: {key}: missing", "a base card states its files or sources, licence and data")
    if not isinstance(card[listed], dict):
        raise UserError(f"{path}: {listed}: must map names to what they are", _RESTORE)
    for name, entry in card.get("files", {}).items():
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise UserError(f"{path}: files.{name}: a plain name that ends in .safetensors")
        if not isinstance(entry, dict) or not set(entry) >= _FIELDS:
            raise UserError(f"{path}: files.{name}: needs {' and '.join(sorted(_FIELDS))}")
    return dict(card)


def checked(folder: Path, card: dict[str, Any], name: str) -> Path:
    """The path of a file that `card` lists, in `folder`. Raises UserError unless it is there with the card's bytes."""
    file, entry = folder / name, card.get("files", {}).get(name)
    if entry is None:
        raise UserError(f"{folder / 'card.json'}: files.{name}: missing, every base needs one")
    if not file.is_file():
        raise UserError(f"{file}: missing, the card lists it", _RESTORE)
    if (size := file.stat().st_size) != entry["bytes"]:
        raise UserError(f"{file}: {size} bytes, the card says {entry['bytes']}", _RESTORE)
    if (found := sha256_file(file)) != entry["sha256"]:
        raise UserError(f"{file}: sha256 is {found[:16]}..., the card says {entry['sha256'][:16]}...", _RESTORE)
    return file


def copy_base(source: Path, card: dict[str, Any], target: Path) -> None:
    """A base whose weights lie beside its card; the card and licences are copied byte for byte."""
    files = {name: checked(source, card, name) for name in card["files"]}
    files |= {ALIGNER: checked(source, card, CONTENT), "card.json": source / "card.json"}
    files |= {file.name: file for file in sorted(source.glob("LICENSE*"))}  # they go where the weights go
    shutil.rmtree(target, ignore_errors=True)
    for name, file in files.items():
        write_bytes(target / name, file.read_bytes())
        print(f"{target / name}: {file.stat().st_size} bytes, checked", flush=True)


def convert_base(source: Path, card: dict[str, Any], target: Path) -> None:
    """A base of published files; its card says in `files` what they have become."""
    # They load torch, which a base that is only copied needs not wait for.
    from voice import base_convert, fetch

    try:
        wanted = base_convert.sources_of(card)
    except UserError as error:
        raise UserError(f"{source / 'card.json'}: {error.message}", error.hint or _RESTORE) from error
    aligner = checked(SOURCES / HEARING, read_card(SOURCES / HEARING), CONTENT)
    found = fetch.fetch_all(wanted, fetch.CACHE, fetch.local_folder(), partial(print, flush=True))
    shutil.rmtree(target, ignore_errors=True)
    try:
        for name, file in found.items():
            base_convert.convert(name, card["version"], wanted[name], file, target / name)
            print(f"{target / name}: {(target / name).stat().st_size} bytes, from {wanted[name].label}", flush=True)
        write_bytes(target / ALIGNER, aligner.read_bytes())
        made = {path.name: {"bytes": path.stat().st_size, "sha256": sha256_file(path)} for path in target.iterdir()}
        write_json(target / "card.json", card | {"files": made, "aligner": aligner.as_posix()})
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)  # half a base is none
        raise


def main() -> None:
    base = load_params().base
    source, target = SOURCES / base, base_dir(base)
    card = read_card(source)
    (convert_base if "sources" in card else copy_base)(source, card, target)


if __name__ == "__main__":
    run(main)
