"""Content frames, semantic tokens and samples of every accepted segment, as safetensors."""

from __future__ import annotations

import inspect
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes

from stages.common import ITEMS, base_dir, paths, progress, run
from stages.params import load_params
from voice.audio import read_audio, resample, to_int16
from voice.contracts import Aligned, Features, read_table, write_table
from voice.files import sha256_code
from voice.items import ItemCache
from voice.nets.acoustic import Acoustic
from voice.nets.hubert import ContentEncoder
from voice.tensors import check_tensor
from voice.weights import save_tensors, sha256_file

LIBRARY = Path(inspect.getfile(ItemCache)).parent
CODE = (Path(__file__), LIBRARY / "audio.py", LIBRARY / "nets")
RATE = 16000


def extract(file: Path, encoder: ContentEncoder, acoustic: Acoustic) -> dict[str, torch.Tensor]:
    """`ssl` float16 [T, D] at 50 frames/s, `tokens` int32 [T // 2], `wav` int16 [N] at the file's rate."""
    wave, rate = read_audio(file)
    with torch.inference_mode():
        ssl, _ = encoder.features(torch.from_numpy(resample(wave, rate, RATE))[None])
        # Tokens are taken from the stored precision, so that they follow from the stored frames.
        ssl = ssl.half()
        tokens = acoustic.extract_latent(ssl.float().transpose(1, 2))[0, 0]
    return {
        "ssl": ssl[0],
        "tokens": tokens.int(),
        "wav": torch.from_numpy(to_int16(wave)),
    }


def check(name: str, found: dict[str, torch.Tensor], width: int) -> dict[str, torch.Tensor]:
    """Shapes, kinds and finiteness of one segment's tensors. Raises UserError that names the key."""
    check_tensor(f"{name}.ssl", found["ssl"], (None, width), torch.float16)
    check_tensor(f"{name}.tokens", found["tokens"], (len(found["ssl"]) // 2,), torch.int32)
    check_tensor(f"{name}.wav", found["wav"], (None,), torch.int16)
    return found


def main(voice: str) -> None:
    params, place = load_params(), paths(voice)
    base, per_shard = base_dir(params.base), params.features.shard_segments
    weights = [base / "content.safetensors", base / "acoustic.safetensors"]
    encoder, acoustic = ContentEncoder.load(weights[0]), Acoustic.load(weights[1])
    acoustic.eval()
    # The number of threads changes the last bits of sums, so it is part of what an item was made from.
    origin: list[str | float] = [*map(sha256_file, weights), params.threads]
    cache = ItemCache(ITEMS, "features", sha256_code(*CODE))
    aligned = read_table(place.aligned, Aligned)
    shutil.rmtree(place.features, ignore_errors=True)
    rows: list[dict[str, Any]] = []
    shard: dict[str, torch.Tensor] = {}
    segments = aligned.to_dict(orient="records")
    for number, row in enumerate(progress(segments, f"features {voice}"), start=1):
        file = place.segments / f"{row['id']}.flac"
        key = cache.key(file.read_bytes(), *origin)
        item = from_bytes(cache.get(key, lambda file=file: to_bytes(extract(file, encoder, acoustic))))  # type: ignore[misc]
        name = f"shard-{(number - 1) // per_shard:03d}.safetensors"
        found = check(f"{place.features / name}: {row['id']}", item, encoder.dim)
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
                {"base": params.base, "content": origin[0]},
            )
            shard = {}
    write_table(place.features_table, rows, Features)
    print(
        f"{len(rows)} segments, {cache.misses} computed, {cache.hits} from {cache.folder}",
        flush=True,
    )


if __name__ == "__main__":
    run(main)
