"""The voices that a script or a cast may name."""

from __future__ import annotations

from pathlib import Path

from pipeline.engine import Loader


def known_voices(root: Path, load: Loader) -> frozenset[str] | None:
    """Voices of params.yaml and imported ones; None for another engine, which knows its own."""
    from pipeline import voices

    if load is not voices.load_voice:
        return None
    from stages.params import load_params

    imported = (path.parent.name for path in (root / "models").glob("*/import.json"))
    return frozenset([*load_params(root).voices, *imported])
