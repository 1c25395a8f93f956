"""ONNX files, written by torch's exporter and checked with onnxruntime. Needs the extra `export`."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from voice.errors import UserError
from voice.export import Graph
from voice.export.program import Form, Run, dynamic_shapes, quiet, trace

OPSET = 18  # the first with scatter-add in full; every runtime since 2023 reads it
PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def require() -> None:
    """Raise UserError unless what writing and checking ONNX needs is installed."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f"ONNX files need {', '.join(missing)}", "pip install 'reprovoice[export]'")


def _write(graph: Graph, path: Path) -> dict[str, Any]:
    """One file with its weights inside, so that it can be moved; s1 and s2 are far below the 2 GB that allows."""
    require()
    import onnx

    # It tells of optional operator packages that are not there.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    with torch.no_grad(), quiet():
        program = torch.onnx.export(
            trace(graph),
            dynamo=True,
            opset_version=OPSET,
            verbose=False,
            input_names=[port.name for port in graph.inputs],
            output_names=[port.name for port in graph.outputs],
            dynamic_shapes=dynamic_shapes(graph.inputs),  # for the names of the free axes alone
        )
        assert program is not None  # None is for the old exporter
        program.save(path, external_data=False)
    onnx.checker.check_model(str(path))
    return {"opset": OPSET, "torch": torch.__version__, "onnx": onnx.__version__}


def load(path: Path) -> Run:
    """An ONNX file as a function of CPU tensors, run by onnxruntime with as many threads as torch has.

    Raises UserError when onnxruntime is missing.
    """
    require()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [port.name for port in session.get_inputs()]

    def run(inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        given = {name: tensor.detach().numpy() for name, tensor in zip(names, inputs, strict=True)}
        return [torch.from_numpy(value) for value in session.run(None, given)]

    return run


ONNX = Form(".onnx", _write, load)
