"""Sizes, times and differences of the exported graphs, as Markdown, on one thread of this machine.

usage: python docs/bench_export.py [SIZE ...]     (mini, v1, v2, v2Pro, v2ProPlus; default: mini v2ProPlus)

`mini` is the base of this repository; the published sizes get weights made by the formula of the tests. Every export
and every run is a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SIZES = ("mini", "v1", "v2", "v2Pro", "v2ProPlus")
FORMS = ("onnx", "torch")
# A sentence of 3 s: text and prompt, a place in its middle, a clip, and one second of audio.
LENGTHS = {
    "s1_prefill": {"P": 60, "p": 75},
    "s1_step": {"T": 200},
    "s2_reference": {"T": 200},
    "s2_decode": {"n": 25, "P": 20},
}
ENOUGH_S, MOST_ROUNDS = 8.0, 50


def networks(size: str) -> tuple[Any, Any]:
    """s1 and s2 of a size, in evaluation mode."""
    from tests.golden import fill_module
    from voice.nets.acoustic import Acoustic
    from voice.nets.official import VERSIONS
    from voice.nets.official_names import ACOUSTIC, SEMANTIC, official_name
    from voice.nets.semantic import Semantic

    if size == "mini":
        base = ROOT / "models" / "base" / "mini"
        return Semantic.load(base / "semantic.safetensors"), Acoustic.load(base / "acoustic.safetensors")
    version = VERSIONS[size]
    semantic, acoustic = Semantic(version.semantic), Acoustic(replace(version.acoustic, posterior=False))
    fill_module(semantic, lambda key: official_name(key, SEMANTIC))
    fill_module(acoustic, lambda key: official_name(key, ACOUSTIC))
    return semantic.eval(), acoustic.eval()


def form_of(name: str) -> Any:
    from voice.export.onnx import ONNX
    from voice.export.program import PROGRAM

    return {"onnx": ONNX, "torch": PROGRAM}[name]


def eager(size: str, folder: Path) -> dict[str, Any]:
    """Run the networks' own modules once; leaves the inputs in `folder` for the others."""
    from voice.export import all_graphs
    from voice.weights import save_tensors

    for graph in all_graphs(*networks(size)):
        inputs, _ = graph.case(LENGTHS[graph.name])
        graph.module(*inputs)
        save_tensors(folder / f"{graph.name}.inputs", {f"{at}": tensor for at, tensor in enumerate(inputs)})
    return {}


def export(size: str, folder: Path, form: str) -> dict[str, Any]:
    from voice.export import all_graphs
    from voice.export.program import deliver

    weights = {"semantic": size, "acoustic": size}
    made = deliver(all_graphs(*networks(size)), folder / form, form_of(form), weights)
    keys = ("bytes", "export_s", "max_abs_difference")
    return {"files": {entry["file"].partition(".")[0]: {key: entry[key] for key in keys} for entry in made}}


def inputs_of(folder: Path, name: str) -> list[Any]:
    from voice.weights import load_tensors

    tensors, _ = load_tensors(folder / f"{name}.inputs")
    return [tensors[f"{at}"] for at in range(len(tensors))]


def run(size: str, folder: Path, form: str) -> dict[str, Any]:
    """Load times of the files, all four kept as a server would, each run once; nothing else is in memory."""
    kind, kept, found = form_of(form), [], {}
    for name in LENGTHS:
        inputs = inputs_of(folder, name)
        begun = time.perf_counter()
        kept.append(kind.load(folder / form / f"{name}{kind.suffix}"))
        found[name] = time.perf_counter() - begun
        kept[-1](inputs)
    return {"load_s": found}


def race(size: str, folder: Path) -> dict[str, Any]:
    """Fastest run of each graph in ms: network and files by turns, so that what else runs here slows all alike."""
    from voice.export import all_graphs

    found = {}
    for graph in all_graphs(*networks(size)):
        inputs = inputs_of(folder, graph.name)
        runners = {"eager": lambda given, module=graph.module: module(*given)}
        for form in FORMS:
            runners[form] = form_of(form).load(folder / form / f"{graph.name}{form_of(form).suffix}")
        best = dict.fromkeys(runners, math.inf)
        end = time.perf_counter() + ENOUGH_S
        rounds = 0
        while rounds < 3 or (rounds < MOST_ROUNDS and time.perf_counter() < end):
            for name, runner in runners.items():
                begun = time.perf_counter()
                runner(inputs)
                best[name] = min(best[name], (time.perf_counter() - begun) * 1000)
            rounds += 1
        found[graph.name] = best
    return {"ms": found}


def child(task: str, size: str, folder: str, *form: str) -> None:
    import torch

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    os.nice(10)
    told = {"eager": eager, "export": export, "run": run, "race": race}[task](size, Path(folder), *form)  # type: ignore[operator]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB
    print(json.dumps(told | {"peak_mib": peak}))


def ask(*words: str) -> dict[str, Any]:
    """What a process of its own says, the last line of it."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, __file__, "--child", *words]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for row in (columns, ["---"] * len(columns), *rows):
        print(f"| {' | '.join(row)} |")
    print(flush=True)


def main(sizes: Sequence[str]) -> None:
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            plain = ask("eager", size, folder)
            made = {form: ask("export", size, folder, form) for form in FORMS}
            ran = {form: ask("run", size, folder, form) for form in FORMS}
            speed = ask("race", size, folder)["ms"]
        rows = []
        for name, lengths in LENGTHS.items():
            for form in FORMS:
                file = made[form]["files"][name]
                where = ", ".join(f"{key} {value}" for key, value in lengths.items())
                rows.append([
                    size, name, where, form, f"{file['bytes'] / 1e6:.1f}", f"{file['export_s']:.1f}",
                    f"{ran[form]['load_s'][name]:.2f}", f"{speed[name]['eager']:.1f}", f"{speed[name][form]:.1f}",
                    f"{file['max_abs_difference']:.1e}",
                ])  # fmt: skip
        table(["size", "graph", "at", "format", "MB", "export s", "load s", "eager ms", "run ms", "max diff"], rows)
        peaks = {"eager": plain, **{f"export {f}": made[f] for f in FORMS}, **{f"run {f}": ran[f] for f in FORMS}}
        table(["size", *(f"peak MiB, {name}" for name in peaks)],
              [[size, *(f"{told['peak_mib']:.0f}" for told in peaks.values())]])  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    elif set(sys.argv[1:]) <= set(SIZES):
        main(sys.argv[1:] or ("mini", "v2ProPlus"))
    else:
        sys.exit(__doc__)
