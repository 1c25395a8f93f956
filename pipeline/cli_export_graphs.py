"""What `reprovoice export --format onnx|torch` does: the networks of a base or a voice as files for other runtimes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Literal


def export_graphs(source: Path, out: Path, form: Literal["onnx", "torch"]) -> dict[str, Any]:
    """Write s1_prefill, s1_step, s2_reference and s2_decode of the folder `source` into the folder `out`.

    `source` holds semantic.safetensors and acoustic.safetensors. Every file is checked against the networks at
    lengths other than those it was traced with, and has a sidecar `{file}.json`; all are written or none.
    Returns {format, source, out, bytes, max_abs_difference, seconds, files: [sidecar + export_s + load_s]}.
    Raises UserError when weights are missing or unreadable, packages are missing (`onnx`), the decoder has no graph,
    or a file differs from its network.
    """
    from voice.errors import UserError
    from voice.export import all_graphs, onnx
    from voice.export.program import PROGRAM, deliver
    from voice.files import sha256_file
    from voice.nets.acoustic import Acoustic
    from voice.nets.semantic import Semantic

    if form not in ("onnx", "torch"):
        raise UserError(f"format {form!r}: unknown", "choose onnx or torch")
    if form == "onnx":
        onnx.require()  # before minutes of work
    begun = time.perf_counter()
    paths = {name: source / f"{name}.safetensors" for name in ("semantic", "acoustic")}
    graphs = all_graphs(Semantic.load(paths["semantic"]), Acoustic.load(paths["acoustic"]))
    weights = {name: sha256_file(path) for name, path in paths.items()}
    files = deliver(graphs, out, onnx.ONNX if form == "onnx" else PROGRAM, weights)
    return {
        "format": form,
        "source": str(source),
        "out": str(out),
        "bytes": sum(file["bytes"] for file in files),
        "max_abs_difference": max(file["max_abs_difference"] for file in files),
        "seconds": round(time.perf_counter() - begun, 1),
        "files": files,
    }
