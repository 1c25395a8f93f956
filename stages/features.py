"""Content frames, semantic tokens, samples (BERT and speaker vectors) of every accepted segment, as safetensors."""

from __future__ import annotations

import inspect
import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes

from stages.common import ITEMS, base_dir, paths, progress, run
from stages.params import load_params
from voice.contracts import Aligned, Features
from voice.encoders import Encoders
from voice.features import check, extract
from voice.files import sha256_code
from voice.items import ItemCache
from voice.nets.acoustic import Acoustic
from voice.tables import read_table, write_table
from voice.weights import save_tensors, sha256_file

LIBRARY = Path(inspect.getfile(ItemCache)).parent
CODE = (Path(__file__), *(LIBRARY / name for name in ("audio.py", "encoders.py", "features.py", "nets")))


def main(voice: str) -> None:
    params, place = load_params(), paths(voice)
    base, per_shard = base_dir(params.base), params.features.shard_segments
    encoders, acoustic = Encoders(base), Acoustic.load(base / "acoustic.safetensors")
    hashes = encoders.hashes() | {"acoustic": sha256_file(base / "acoustic.safetensors")}
    # The number of threads changes the last bits of sums, so it is part of what an item was made from.
    origin: list[str | float] = [*hashes.values(), params.threads]
    cache = ItemCache(ITEMS, "features", sha256_code(*CODE))
    aligned, lexicon = read_table(place.aligned, Aligned), json.loads(place.lexicon.read_text(encoding="utf-8"))
    shutil.rmtree(place.features, ignore_errors=True)
    rows: list[dict[str, Any]] = []
    shard: dict[str, torch.Tensor] = {}
    segments = aligned.to_dict(orient="records")
    for number, row in enumerate(progress(segments, f"features {voice}"), start=1):
        file = place.segments / f"{row['id']}.flac"
        # How the text reads counts with it, so that the code that reads it need not.
        key = cache.key(file.read_bytes(), json.dumps([row["text"], row["words"], row["ids"]]), *origin)
        make = partial(extract, file, row["text"], row["lang"], row["ids"], encoders, acoustic, lexicon)
        item = from_bytes(cache.get(key, lambda make=make: to_bytes(make())))  # type: ignore[misc]
        name = f"shard-{(number - 1) // per_shard:03d}.safetensors"
        found = check(f"{place.features / name}: {row['id']}", item, encoders.content.dim, len(row["ids"]))
        shard |= {f"{row['id']}.{part}": tensor for part, tensor in found.items()}
        rows.append(
            {
                "id": row["id"],
                "shard": name,
                "frames": len(found["ssl"]),
                "tokens": len(found["tokens"]),
                "token_kinds": len(found["tokens"].unique()),
                "phones": len(row["phones"]),
                "samples": len(found["wav"]),
                "seconds": row["seconds"],
                "dtype": str(found["ssl"].dtype).removeprefix("torch."),
                "lo": round(float(found["ssl"].min()), 4),
                "hi": round(float(found["ssl"].max()), 4),
                "finite": bool(torch.isfinite(found["ssl"]).all()),
            }
        )
        if number % per_shard == 0 or number == len(segments):
            save_tensors(
                place.features / name,
                shard,
                {"base": params.base, "content": hashes["content"]},
            )
            shard = {}
    write_table(place.features_table, rows, Features)
    print(
        f"{len(rows)} segments, {cache.misses} computed, {cache.hits} from {cache.folder}",
        flush=True,
    )


if __name__ == "__main__":
    run(main)
