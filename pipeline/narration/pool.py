"""The voices of a narration, each loaded once a process."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import defaultdict
from pathlib import Path

from pipeline import voices
from pipeline.engine import Engine, Loader
from voice.consent.gate import permit_engine
from voice.errors import UserError


class Engines:
    """Voices by name. Those that speak at once take turns at one voice: its networks are not made for two."""

    def __init__(self, root: Path, load: Loader) -> None:
        self.root, self._load = root, voices.load_narrator if load is voices.load_voice else load
        self.turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._engines: dict[str, Engine] = {}
        self._loading = threading.Lock()

    def get(self, name: str) -> Engine:
        """The voice, loaded at the first call. Raises what its loader raises, for instance for an unbuilt one.

        Raises UserError, at every call, when consent to a voice of this project does not allow narrations.
        """
        permit_engine(self.root, name, "narrate")
        with self._loading:
            if name not in self._engines:
                self._engines[name] = self._load(self.root, name)
            return self._engines[name]

    def exactly(self, name: str, digest: str) -> Engine:
        """The voice with just these weights and words; loaded again when it changed since this process loaded it.

        Raises UserError when the files have changed since the line was planned.
        """
        engine = self.get(name)
        if fingerprint(engine) != digest:
            with self._loading:
                self._engines.pop(name, None)
            engine = self.get(name)
        if fingerprint(engine) != digest:
            raise UserError(f"{name}: the voice has changed since this narration began", "narrate again")
        return engine


def fingerprint(engine: Engine) -> str:
    """sha256 of what an engine says of itself: weights, way of speaking, own words."""
    parts = [engine.info, dict(getattr(engine, "lexicon", None) or {})]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def weights_sha256(engine: Engine) -> str:
    """sha256 over the hashes of an engine's weights, in one figure."""
    weights = {name: value for name, value in engine.info.items() if name != "speaking"}
    return hashlib.sha256(json.dumps(weights, sort_keys=True).encode()).hexdigest()
