"""OpenLineage run events (openlineage.io/spec/2-0-2): a START and a COMPLETE for each stage of the chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.audit.chain import Link, Step
from pipeline.audit.exports.facts import PRODUCER, Model

NAMESPACE = "reprovoice"
EVENT = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
VERSION = "https://openlineage.io/spec/facets/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet"
CODE = "https://openlineage.io/spec/facets/1-0-1/SourceCodeJobFacet.json#/$defs/SourceCodeJobFacet"


def events(model: Model) -> Iterator[dict[str, Any]]:
    """The events, upstream first. Both of a stage bear the time of the commit of its result: no other is known."""
    for step in model.audit.steps:
        if not step.outs:
            continue
        # The record of a run decides its id: the same run in two exports is one run to whoever collects them.
        record = "\n".join(f"{link.path} {link.recorded}" for link in (*step.deps, *step.outs))
        for kind in ("START", "COMPLETE"):
            yield {
                "eventType": kind,
                "eventTime": model.recorded,
                "run": {"runId": str(model.identity(step.stage, record)), "facets": {}},
                "job": {"namespace": NAMESPACE, "name": step.stage, "facets": {"sourceCode": _command(step)}},
                "inputs": _datasets(step.deps) if kind == "START" else [],
                "outputs": _datasets(step.outs) if kind == "COMPLETE" else [],
                "producer": PRODUCER,
                "schemaURL": EVENT,
            }


def _command(step: Step) -> dict[str, str]:
    return {"_producer": PRODUCER, "_schemaURL": CODE, "language": "shell", "sourceCode": step.command}


def _datasets(links: Sequence[Link]) -> list[dict[str, Any]]:
    """Files and folders at the version that DVC recorded: an md5, of a folder that of its listing."""
    return [
        {
            "namespace": NAMESPACE,
            "name": link.path,
            "facets": {"version": {"_producer": PRODUCER, "_schemaURL": VERSION, "datasetVersion": str(link.recorded)}},
        }
        for link in links
    ]
