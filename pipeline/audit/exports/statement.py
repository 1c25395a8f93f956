"""An in-toto Statement v1 with a SLSA provenance v1 predicate (in-toto.io/Statement/v1, slsa.dev/provenance/v1)."""

from __future__ import annotations

import datetime
from typing import Any

from pipeline.audit.exports.facts import PRODUCER, FileFact, Model

STATEMENT, PREDICATE = "https://in-toto.io/Statement/v1", "https://slsa.dev/provenance/v1"


def statement(model: Model) -> dict[str, Any]:
    """The statement: files of the model as subjects; what DVC ran, on what, in which environment. It is not signed."""
    found, environment = model.audit, model.audit.environment
    materials = [_descriptor(file) for file in model.inputs]
    if environment.libraries_sha256:
        materials.append(_descriptor(FileFact(environment.libraries, environment.libraries_sha256)))
    materials.append({"name": "code", "uri": "git:HEAD", "digest": {"gitCommit": str(environment.commit)}})
    if environment.dirty_sha256:
        note = {"differs": list(environment.dirty)}
        materials.append({"name": "uncommitted", "digest": {"sha256": environment.dirty_sha256}, "annotations": note})
    records = {item.voice: item.consent_ids[0] for item in found.sources}
    parameters = {step.stage: {param.name: param.recorded for param in step.params} for step in found.steps}
    return {
        "_type": STATEMENT,
        "subject": [_descriptor(file) for file in model.files],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": f"{PRODUCER}:dvc:v1",
                "externalParameters": {"target": found.target, "stages": [step.stage for step in found.steps]},
                "internalParameters": {
                    "commands": {step.stage: step.command for step in found.steps},
                    "parameters": parameters,
                    "consent": {
                        "id": model.consent.id,
                        "basis": model.consent.basis,
                        "record_sha256": records[model.voice],
                    },
                    "python": environment.python,
                    "platform": environment.platform,
                },
                "resolvedDependencies": materials,
            },
            "runDetails": {
                "builder": {"id": f"{PRODUCER}:local"},
                "metadata": {"invocationId": str(model.identity("slsa")), "finishedOn": _utc(model.recorded)},
            },
        },
    }


def _descriptor(file: FileFact) -> dict[str, Any]:
    return {"name": file.path, "digest": {"sha256": file.sha256}}


def _utc(time: str) -> str:
    """RFC 3339 in UTC with a Z, as SLSA asks for."""
    return datetime.datetime.fromisoformat(time).astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
