"""Speak one text into one labelled file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.engine import Loader, SayOptions, sound_facts
from pipeline.ledger.record import record_say
from voice.consent.gate import permit_engine
from voice.errors import UserError
from voice.files import sha256_file
from voice.label import FORMATS, write_labelled

LONGEST = 2000  # characters; longer texts are scripts


def speak(
    root: Path,
    text: str,
    voice: str,
    out: Path,
    options: SayOptions,
    load: Loader,
    *,
    ref: Path | None = None,
    ref_text: str | None = None,
    seed: int | None = None,
    prompt: bool | None = None,
    also_like: Sequence[Path] = (),
) -> dict[str, Any]:
    """Say `text`, write `out` (.wav or .flac) with its sidecar and a line into the ledger; return the sidecar's facts.

    Raises UserError for an empty or too long text, another suffix, a missing clip, or what cannot or may not be said.
    """
    if not text.strip():
        raise UserError("the text is empty", "give something to say")
    if len(text) > LONGEST:
        raise UserError(f"the text has {len(text)} characters, the limit is {LONGEST}", "use `reprovoice narrate`")
    if out.suffix.lower() not in FORMATS:
        raise UserError(f"{out}: cannot write {out.suffix or 'a file with no suffix'}", "use .wav or .flac")
    if ref is not None and not ref.is_file():
        raise UserError(f"--ref {ref}: no such file", "give a short clip of the voice")
    for clip in also_like:
        if not clip.is_file():
            raise UserError(f"--also-like {clip}: no such file", "give short clips of the voice")
    if ref_text is not None and ref is None:
        raise UserError("--ref-text without --ref", "give the clip that says it")
    permit_engine(root, voice, "speak")
    engine: Any = load(root, voice)
    from voice.long_text import say_long  # after the checks: torch takes seconds to import

    given: dict[str, Any] = {"ref": ref, "ref_text": ref_text} if ref is not None else {}
    given |= {"also_like": list(also_like)} if also_like else {}
    if prompt is not None:
        given["prompt"] = prompt
    speech = say_long(engine, text, seed=seed, **asdict(options), **given)
    facts = {
        "text": text,
        **sound_facts(engine.info, options, **({} if prompt is None else {"prompt": prompt})),
        "seed": speech.seed,
        "seconds": round(len(speech.audio) / speech.sample_rate, 6),
        "sample_rate": speech.sample_rate,
        "stop": speech.stop,
        "warnings": list(speech.warnings),
    }
    if ref is not None:
        facts["reference"] = {"sha256": sha256_file(ref), "text": ref_text}
    if also_like:
        facts["also_like"] = [sha256_file(clip) for clip in also_like]
    full = write_labelled(out, speech.audio, speech.sample_rate, voice, facts)
    record_say(root, out, full)
    return full
