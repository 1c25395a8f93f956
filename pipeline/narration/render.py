"""One line rendered: spoken, fitted to its slot, judged, spoken again where it is bad, and kept."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.engine import Engine, line_seed
from pipeline.narration.fit import Take, fitted
from pipeline.narration.gate import ATTEMPTS, Gate, gate_name
from pipeline.narration.pool import Engines
from pipeline.narration.request import Request, pause_seconds, shown_text, spoken_text
from pipeline.narration.store import LineStore
from pipeline.narration.words import speech_span, word_times
from voice.errors import UserError


@dataclass(frozen=True, eq=False)
class _Tried:
    """An attempt with its verdict and by how many seconds it misses its slot."""

    take: Take
    late: float
    ok: bool
    reasons: tuple[str, ...]
    standing: tuple[float, ...] = ()  # the gate's own order among attempts, smaller is better

    @property
    def rank(self) -> tuple[bool, int, tuple[float, ...]]:
        """Smaller is better."""
        return not self.ok, len(self.reasons), self.standing


class Renderer:
    """Renders requests into a store, with a gate if there is one."""

    def __init__(self, engines: Engines, store: LineStore, gate: Gate | None = None, attempts: int = ATTEMPTS) -> None:
        self.engines, self.store, self.gate = engines, store, gate
        self.attempts = max(1, attempts) if gate is not None else 1
        self._gates: dict[str, tuple[Engine, Any]] = {}

    def ready(self, facts: dict[str, Any]) -> bool:
        """Whether a kept line was judged by this gate, where there is one."""
        return self.gate is None or facts.get("gate") == gate_name(self.gate)

    def render(self, request: Request) -> tuple[dict[str, Any], bool]:
        """The facts of a line and whether it was rendered now. Raises UserError, OSError, or what the engine raises.

        The result depends on the request and the gate alone: a line kept without a verdict of this gate is what the
        first attempt gives, or it is rendered anew.
        """
        facts = self.store.get(request.key)
        if facts is not None and self.ready(facts):
            return facts, False
        first = None if facts is None else self._kept(request, facts)
        if facts is not None and first is not None and first.ok:
            return self.store.note(request.key, {**facts, **_verdict([first], first), "gate": gate_name(self.gate)}), (
                False
            )
        return self._render(request, first), True

    def _render(self, request: Request, first: _Tried | None) -> dict[str, Any]:
        engine = self.engines.exactly(request.voice, request.engine)
        started = time.monotonic()
        tried = [first] if first is not None else []
        while len(tried) < self.attempts and not (tried and tried[-1].ok):
            tried.append(self._attempt(engine, request, len(tried)))
        best = min(tried, key=lambda one: one.rank)
        took = time.monotonic() - started
        take = best.take
        facts = {
            "seed": take.seed,
            "stop": take.stop,
            "warnings": list(take.warnings),
            "seconds": round(len(take.samples) / take.rate, 6),
            "speech": list(take.speech),
            "words": self._words(engine, request, take),
            "late": best.late,
            "length_scale": take.length_scale,
            "took": round(took, 3),
            "characters": len(request.text),
            "gate": gate_name(self.gate),
            **_verdict(tried, best),
        }
        return self.store.keep(request.key, take.samples, take.rate, request.voice, facts)

    def _attempt(self, engine: Engine, request: Request, number: int) -> _Tried:
        given = request.seed if number == 0 else None
        seed = line_seed(request.key, number) if given is None else given
        late = 0.0
        if request.slot is None:
            take = self._speak(engine, request, seed, None)
        else:
            take, late = fitted(
                lambda scale: self._speak(engine, request, seed, scale), request.slot, _usual(request, engine)
            )
        return self._judged(request, engine, take, late)

    def _speak(self, engine: Engine, request: Request, seed: int, scale: float | None) -> Take:
        from voice.audio import to_int16  # here, because planning needs no audio library
        from voice.long_text import say_long

        options = asdict(request.options) | ({} if scale is None else {"length_scale": scale})
        if request.ref is not None:
            options |= {"ref": Path(request.ref), "ref_text": request.ref_text}
        with self.engines.turns[request.voice]:
            speech = say_long(engine, request.text, seed=seed, **options)
        if not len(speech.audio):
            raise UserError("the voice gave no sound", "change the text")
        samples = to_int16(speech.audio)
        span = speech_span(_wave(samples), speech.sample_rate)
        return Take(
            samples, speech.sample_rate, span, speech.seed, speech.stop, tuple(speech.warnings), options["length_scale"]
        )

    def _judged(self, request: Request, engine: Engine, take: Take, late: float) -> _Tried:
        if self.gate is None:
            return _Tried(take, late, True, ())
        scale = take.length_scale or _usual(request, engine)
        expected = _expected(request, scale)
        gate = self._gate_for(request.voice, engine)
        if gate is None:
            return _Tried(take, late, True, ())
        bind = getattr(gate, "for_line", None)
        gate = gate if bind is None else bind(request, scale)
        with self.engines.turns[request.voice]:  # it may listen with a network of the voice
            verdict = gate(_wave(take.samples), take.rate, spoken_text(request.text), request.options.lang, expected)
        reasons = [*verdict.reasons, *(["did not end by itself"] if take.stop != "eos" else [])]
        texts = tuple(str(getattr(reason, "told", reason)) for reason in reasons)
        return _Tried(take, late, bool(verdict.ok) and take.stop == "eos", texts, tuple(getattr(verdict, "rank", ())))

    def _gate_for(self, voice: str, engine: Engine) -> Gate | None:
        """The gate, made for this voice once where it can be; None when this voice is not judged."""
        bind = getattr(self.gate, "for_voice", None)
        if voice not in self._gates or self._gates[voice][0] is not engine:  # a voice that changed was loaded again
            self._gates[voice] = engine, bind(voice, engine) if bind is not None else self.gate
        return self._gates[voice][1]

    def _kept(self, request: Request, facts: dict[str, Any]) -> _Tried | None:
        """A kept line as the first attempt, judged now; None when another attempt was kept."""
        if facts.get("attempt", 0) != 0:
            return None
        samples = self.store.read(request.key, facts["frames"])
        start, end = facts["speech"]
        take = Take(
            samples, facts["sample_rate"], (start, end), facts["seed"], facts["stop"], tuple(facts["warnings"]),
            facts.get("length_scale"),
        )  # fmt: skip
        return self._judged(request, self.engines.exactly(request.voice, request.engine), take, facts.get("late", 0.0))

    def _words(self, engine: Engine, request: Request, take: Take) -> list[tuple[str, float, float]]:
        ear = getattr(getattr(engine, "guard", None), "ear", None)
        if ear is None:
            return []
        lexicon = getattr(engine, "lexicon", None) or {}
        text, lang = request.text, request.options.lang
        with self.engines.turns[request.voice]:
            return word_times(ear, _wave(take.samples), take.rate, shown_text(text), spoken_text(text), lang, lexicon)


def _verdict(tried: list[_Tried], best: _Tried) -> dict[str, Any]:
    return {
        "ok": best.ok,
        "reasons": list(best.reasons),
        "attempt": tried.index(best),
        "attempts": [{"seed": one.take.seed, "ok": one.ok, "reasons": list(one.reasons)} for one in tried],
    }


def _expected(request: Request, scale: float) -> float:
    from voice.text.split import estimate

    return estimate(shown_text(request.text), request.options.lang) * scale + pause_seconds(request.text)


def _usual(request: Request, engine: Engine) -> float:
    """The length_scale of a line that is not fitted."""
    return request.options.length_scale or float(engine.info.get("speaking", {}).get("length_scale", 1.0))


def _wave(samples: np.ndarray) -> np.ndarray:
    return samples.astype(np.float32) / np.float32(32768)
