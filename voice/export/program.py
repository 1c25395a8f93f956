"""torch.export files (.pt2), and what every format shares: trace, check at other lengths, sidecar, all or nothing."""

from __future__ import annotations

import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.export import Dim, ExportedProgram

from voice.errors import UserError
from voice.export import Graph, Port
from voice.files import sha256_file, write_json

LIMIT = 1e-3  # largest difference from the network that a file may show

Run = Callable[[Sequence[torch.Tensor]], list[torch.Tensor]]


@dataclass(frozen=True)
class Form:
    """A file format: `write` one graph and return facts for its sidecar; `load` a file as a function of tensors."""

    suffix: str
    write: Callable[[Graph, Path], dict[str, Any]]
    load: Callable[[Path], Run]


@contextmanager
def quiet() -> Iterator[None]:
    """torch's exporters warn of their own deprecated calls."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def trace(graph: Graph) -> ExportedProgram:
    """The graph as torch.export sees it, every named length free."""
    with torch.no_grad(), quiet():
        # Deferred, because torch cannot prove what it asks itself of lengths (min(2n, 128n) = 2n); files check on use.
        return torch.export.export(
            graph.module,
            graph.case(graph.traced)[0],
            dynamic_shapes=dynamic_shapes(graph.inputs),
            prefer_deferred_runtime_asserts_over_guards=True,
        )


def dynamic_shapes(ports: Sequence[Port]) -> tuple[dict[int, Any], ...]:
    """For every input the axes that are free, as torch.export takes them."""
    free: dict[str, Any] = {}

    def dim(size: str) -> Any:
        factor, _, name = size.rpartition("*")
        free.setdefault(name, Dim(name))
        return int(factor) * free[name] if factor else free[name]

    return tuple({at: dim(size) for at, size in enumerate(port.shape) if isinstance(size, str)} for port in ports)


def _write(graph: Graph, path: Path) -> dict[str, Any]:
    with quiet():
        torch.export.save(trace(graph), path)
    return {"torch": torch.__version__}


def load(path: Path) -> Run:
    """A .pt2 file as a function of tensors. Load only files of your own: the format may unpickle."""
    with quiet():
        module = torch.export.load(path).module()

    @torch.no_grad()
    def run(inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        outputs = module(*inputs)
        return [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)

    return run


PROGRAM = Form(".pt2", _write, load)


def deliver(graphs: Sequence[Graph], out: Path, form: Form, weights: Mapping[str, str]) -> list[dict[str, Any]]:
    """Write every graph into the folder `out` with a sidecar `{file}.json`, checked against the networks.

    `weights` is the sha256 of each network's file. All files or none: they are made and checked in a folder beside
    `out` and moved when the last one is good. Returns for each file its sidecar with `export_s` and `load_s`.
    Raises UserError when a file differs from the network by more than LIMIT at any of the lengths.
    """
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: is a file", "name a folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    made = []
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as temp:
        for graph in graphs:
            made.append(_make(graph, Path(temp), form, weights))
        out.mkdir(exist_ok=True)
        for entry in made:
            for name in (entry["file"], f"{entry['file']}.json"):
                os.replace(Path(temp) / name, out / name)
    return made


def _make(graph: Graph, folder: Path, form: Form, weights: Mapping[str, str]) -> dict[str, Any]:
    """Write, load and check one graph in `folder`, and its sidecar."""
    path = folder / f"{graph.name}{form.suffix}"
    begun = time.perf_counter()
    facts = form.write(graph, path)
    written = time.perf_counter()
    run = form.load(path)
    loaded = time.perf_counter()
    checks = [_check(graph, path.name, run, lengths) for lengths in (graph.traced, *graph.checked)]
    sidecar = {
        "file": path.name,
        "bytes": path.stat().st_size,
        "sha256": sha256_file(path),
        "weights_sha256": weights[graph.network],
        "inputs": [_shown(port) for port in graph.inputs],
        "outputs": [_shown(port) for port in graph.outputs],
        "traced": dict(graph.traced),
        "checks": checks,
        "max_abs_difference": max(value for check in checks for value in _judged(graph, check["difference"])),
        **graph.about,
        **facts,
    }
    write_json(folder / f"{path.name}.json", sidecar)
    return sidecar | {"export_s": round(written - begun, 3), "load_s": round(loaded - written, 3)}


@torch.no_grad()
def _check(graph: Graph, name: str, run: Run, lengths: Mapping[str, int]) -> dict[str, Any]:
    inputs, measure = graph.case(lengths)
    difference = measure(run(inputs))
    if not all(value <= LIMIT for value in _judged(graph, difference)):  # written so that NaN fails
        told = ", ".join(f"{key} {value:.1e}" for key, value in difference.items())
        where = ", ".join(f"{key} {value}" for key, value in lengths.items())
        raise UserError(
            f"{name}: differs from the network at {where}: {told}; at most {LIMIT:.0e} is allowed",
            "no file was written; export in the other format",
        )
    return {"lengths": dict(lengths), "difference": difference}


def _judged(graph: Graph, difference: Mapping[str, float]) -> list[float]:
    return [difference[port.name] for port in graph.outputs]


def _shown(port: Port) -> dict[str, Any]:
    facts = {key: value for key, value in asdict(port).items() if value is not None}
    return facts | {"shape": list(port.shape)}
