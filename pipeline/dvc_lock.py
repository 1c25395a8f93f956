"""dvc.lock, and the records of runs in DVC's cache, as plain values: this version's and past ones from Git."""

from __future__ import annotations

from typing import Any

import yaml

LOCK = "dvc.lock"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where there is one: locks are long


def read_yaml(data: bytes | str) -> Any:
    """The value, None for what is no YAML."""
    try:
        return yaml.load(data, Loader=_LOADER)
    except (yaml.YAMLError, UnicodeDecodeError):
        return None


def stages_of(data: bytes | str) -> dict[str, dict[str, Any]]:
    """Address -> entry of a dvc.lock; {} for one that is damaged."""
    found = read_yaml(data)
    stages = found.get("stages") if isinstance(found, dict) else None
    if not isinstance(stages, dict):
        return {}
    return {str(name): entry for name, entry in stages.items() if isinstance(entry, dict)}
