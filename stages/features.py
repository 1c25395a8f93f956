"""Content frames, semantic tokens, samples, mel (BERT and speaker vectors) and F0 of every accepted segment."""

from __future__ import annotations

import inspect
import json
import shutil
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from stages.common import ITEMS, VoicePaths, base_dir, paths, progress, run
from stages.params import load_params
from voice.contracts import Aligned, Features
from voice.encoders import Encoders
from voice.errors import UserError
from voice.features import Segment, Tensors, extract, read_item, set_up
from voice.files import sha256_code, sha256_file
from voice.items import ItemCache, map_items
from voice.tables import read_table, write_table
from voice.train.device import best_device
from voice.weights import save_tensors
from voice.workers import worker_count

LIBRARY = Path(inspect.getfile(ItemCache)).parent
CODE = tuple(LIBRARY / name for name in ("audio.py", "encoders.py", "f0.py", "features.py", "mel.py", "nets"))
Row = dict[str, Any]


def main(voice: str) -> None:
    params, place = load_params(), paths(voice)
    base, device = base_dir(params.base), best_device()
    hashes = Encoders(base).hashes() | {"acoustic": sha256_file(base / "acoustic.safetensors")}
    lexicon = json.loads(place.lexicon.read_text(encoding="utf-8"))
    # The device and the number of threads change the last bits of sums, so they are part of what an item is made from.
    origin: list[str | float] = [*hashes.values(), params.threads, device]
    if "bert" in hashes:  # it skips characters whose reading was given
        origin.append(json.dumps(lexicon, sort_keys=True))
    cache = ItemCache(ITEMS, "features", sha256_code(*CODE))
    segments: list[Row] = read_table(place.aligned, Aligned).to_dict(orient="records")  # type: ignore[assignment]
    work = [_item(place, row, cache, origin) for row in segments]
    values = map_items(
        cache,
        work,
        extract,
        workers=1 if device == "cuda" else worker_count(params.threads),
        setup=partial(set_up, base, lexicon, device, params.threads),
    )
    found = zip(segments, map(read_item, progress(values, f"features {voice}", len(work))), strict=True)
    shutil.rmtree(place.features, ignore_errors=True)
    about = {"base": params.base, "content": hashes["content"]}
    write_table(place.features_table, _store(place, found, params.features.shard_segments, about), Features)
    cache.trim()
    print(f"{len(work)} segments, {cache.misses} computed, {cache.hits} from {cache.folder}", flush=True)


def _item(place: VoicePaths, row: Row, cache: ItemCache, origin: list[str | float]) -> tuple[str, Segment]:
    file = place.segments / f"{row['id']}.flac"
    if not file.is_file():
        raise UserError(f"{file}: no such segment", "run slice and align again")
    # How the text reads counts with it, so that the code that reads it need not.
    text = json.dumps([row["text"], row["words"], row["ids"]])
    return cache.key(sha256_file(file), text, *origin), Segment(file, row["text"], row["lang"], row["ids"])


def _store(place: VoicePaths, found: Iterable[tuple[Row, tuple[Row, Tensors]]], size: int, about: Row) -> list[Row]:
    """Write shards of `size` segments, each as soon as it is full; the rows of the table."""
    rows: list[Row] = []
    shard: Tensors = {}
    name = ""
    for number, (segment, (row, tensors)) in enumerate(found):
        if number % size == 0:
            if shard:
                save_tensors(place.features / name, shard, about)
            shard, name = {}, f"shard-{number // size:03d}.safetensors"
        shard |= {f"{segment['id']}.{part}": tensor for part, tensor in tensors.items()}
        of_text = {"id": segment["id"], "phones": len(segment["phones"]), "seconds": segment["seconds"]}
        rows.append(of_text | row | {"shard": name})
    if shard:
        save_tensors(place.features / name, shard, about)
    return rows


if __name__ == "__main__":
    run(main)
