"""A CycloneDX 1.6 ML-BOM (cyclonedx.org): the model with its card, the weights and recordings below it, libraries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.audit.exports.facts import FileFact, Model

_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)


def bom(model: Model, root: Path) -> dict[str, Any]:
    """The BOM. Libraries are those that `requirements.lock` at `root` pins, installed or not."""
    recordings, base, files = list(_recordings(model)), list(_base(model)), [_file(file) for file in model.files]
    libraries = list(_libraries(root / model.audit.environment.libraries))
    below = [*recordings, *base, *files]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{model.identity('cyclonedx')}",
        "version": 1,
        "metadata": {"component": _model(model, [item["bom-ref"] for item in recordings])},
        "components": [*below, *libraries],
        "dependencies": [
            {"ref": "model", "dependsOn": [item["bom-ref"] for item in below]},
            *({"ref": item["bom-ref"], "dependsOn": []} for item in (*below, *libraries)),
        ],
    }


def _model(model: Model, recordings: list[str]) -> dict[str, Any]:
    return {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": model.voice,
        "version": str(model.identity("version")),
        "description": f"voice {model.voice}: text to speech, fine-tuned from a base model",
        "properties": [
            {"name": "reprovoice:consent:id", "value": model.consent.id},
            {"name": "reprovoice:consent:basis", "value": model.consent.basis},
            {"name": "reprovoice:commit", "value": str(model.audit.environment.recorded_in)},
        ],
        "modelCard": {
            "modelParameters": {
                "approach": {"type": "supervised"},
                "task": "text-to-speech",
                "architectureFamily": "GPT-SoVITS",
                "datasets": [{"ref": ref} for ref in recordings],
                "inputs": [{"format": "text"}],
                "outputs": [{"format": "audio"}],
            },
            "quantitativeAnalysis": {
                "performanceMetrics": [
                    {"type": name, "value": str(value), "slice": part} for part, name, value in figures(model)
                ]
            },
            "considerations": {
                "users": [f"those whom the consent allows: {', '.join(model.purposes)}"],
                "useCases": [model.consent.scope],
                "technicalLimitations": [f"languages: {', '.join(model.languages)}"],
                "ethicalConsiderations": [
                    {
                        "name": "a cloned voice can be taken for the person",
                        "mitigationStrategy": "consent is asked at every use and can be revoked; sounds are labelled",
                    }
                ],
            },
        },
    }


def figures(model: Model) -> Iterator[tuple[str, str, Any]]:
    """(part, name, value) of every figure that was measured on these weights."""
    for metrics in model.audit.metrics:
        if metrics.bound and metrics.path == f"{model.audit.target}/metrics.json" and isinstance(metrics.values, dict):
            for part, values in sorted(metrics.values.items()):
                if isinstance(values, dict):
                    yield from ((part, name, value) for name, value in sorted(values.items()))
                else:
                    yield "", part, values


def _recordings(model: Model) -> Iterator[dict[str, Any]]:
    for source in model.audit.sources:
        for item in source.recordings:
            yield {
                "type": "data",
                "bom-ref": f"data:{item.path}",
                "name": item.path,
                "hashes": _hashes(str(item.sha256)),
                "data": [{"type": "dataset", "name": item.path, "classification": source.basis,
                          "description": source.scope}],
            }  # fmt: skip


def _base(model: Model) -> Iterator[dict[str, Any]]:
    for item in model.audit.base:
        component: dict[str, Any] = {
            "type": "machine-learning-model",
            "bom-ref": f"base:{item.path}",
            "name": item.path,
            "hashes": _hashes(str(item.sha256)),
        }
        if item.licence:
            component["licenses"] = [{"license": {"name": item.licence}}]
        if item.origin:
            component["description"] = f"made from {item.origin}"
        yield component


def _file(file: FileFact) -> dict[str, Any]:
    return {"type": "file", "bom-ref": f"file:{file.path}", "name": file.path, "hashes": _hashes(file.sha256)}


def _hashes(digest: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": digest}]


def _libraries(lock: Path) -> Iterator[dict[str, Any]]:
    """Each name and version once: a lock for several Pythons lists some twice."""
    text = lock.read_text(encoding="utf-8") if lock.is_file() else ""
    for name, version in sorted(set(_PINNED.findall(text))):
        plain = re.sub(r"[-_.]+", "-", name).lower()
        purl = f"pkg:pypi/{plain}@{version.replace('+', '%2B')}"
        yield {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
