"""Long texts: spoken piece by piece with pauses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from voice.errors import UserError
from voice.synthesis import Speech, content_seed
from voice.text import read_text
from voice.text.pauses import PAUSES
from voice.text.split import LONGEST, TARGET, Piece, split_text

FADE = 0.005  # seconds: short enough not to be heard, long enough against clicks


class Speaker(Protocol):
    """What says one piece: `voice.synthesis.Voice`."""

    def say(self, text: str, **options: Any) -> Speech:
        """Speech of one short text."""


def say_long(
    voice: Speaker,
    text: str,
    *,
    lang: str = "auto",
    seed: int | None = None,
    lexicon: Mapping[str, str] | None = None,
    target: float = TARGET,
    longest: float = LONGEST,
    pauses: Mapping[str, float] = PAUSES,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Speech:
    """Speak a text of any length: piece by piece, joined with silence.

    A text of one piece is exactly what `Voice.say` gives. In a longer one every piece has a seed from its own content
    and `seed` (0 when None), so that changing one sentence leaves the sound of the others. Warnings name the piece;
    a piece without anything to read is left out with a warning. `progress` is called with the pieces spoken and
    their number. `options` go to `Voice.say`. Raises UserError as `Voice.say` does, for a bad pause tag, or when
    there is nothing to read at all.
    """
    pieces = split_text(text, lang, target, longest, pauses)
    given = {"lang": lang, "lexicon": lexicon, **options}
    if len(pieces) == 1 and pieces[0].text == text.strip():
        return voice.say(text, seed=seed, **given)
    parts: list[tuple[Piece, Speech | None]] = []
    for piece, speech in speak_pieces(voice, pieces, seed=seed, **given):
        parts.append((piece, speech))
        if progress is not None:
            progress(len(parts), len(pieces))
    spoken = [speech for _, speech in parts if speech is not None]
    if not spoken:
        raise UserError(f"text {text.strip()[:40]!r}: nothing to read", "give words in a supported language")
    audio = joined(parts, spoken[0].sample_rate)
    return replace(
        spoken[0],
        audio=audio,
        seconds=len(audio) / spoken[0].sample_rate,
        seed=spoken[0].seed if len(pieces) == 1 else seed or 0,
        stop="max_steps" if any(speech.stop == "max_steps" for speech in spoken) else spoken[0].stop,
        phones=[phone for speech in spoken for phone in speech.phones],
        warnings=_warnings(parts),
    )


def speak_pieces(
    voice: Speaker, pieces: Sequence[Piece], *, seed: int | None = None, lang: str = "auto",
    lexicon: Mapping[str, str] | None = None, **options: Any,
) -> Iterator[tuple[Piece, Speech | None]]:  # fmt: skip
    """Each piece with its speech, as it is made; None where nothing can be read. Equal pieces are spoken once."""
    known: dict[str, Speech] = {}
    for piece in pieces:
        if piece.text not in known:
            reading = read_text(piece.text, lang, lexicon)
            if not any(phone.isalnum() for phone in reading.phones):
                yield piece, None
                continue
            own = seed if len(pieces) == 1 else content_seed(piece.text, seed or 0)
            known[piece.text] = voice.say(piece.text, seed=own, lang=lang, lexicon=lexicon, **options)
        yield piece, known[piece.text]


def joined(parts: Sequence[tuple[Piece, Speech | None]], sample_rate: int) -> np.ndarray:
    """Audio [N], float32, of pieces with their pauses; short fades where silence meets sound against clicks."""
    sound: list[np.ndarray] = []
    for place, (piece, speech) in enumerate(parts):
        before = piece.pause_before > 0 or place > 0
        sound.append(np.zeros(round(piece.pause_before * sample_rate), np.float32))
        if speech is not None:
            after = piece.pause_after > 0 or place + 1 < len(parts)
            sound.append(_faded(speech.audio, round(FADE * sample_rate), before, after))
        sound.append(np.zeros(round(piece.pause_after * sample_rate), np.float32))
    return np.concatenate(sound)


def _faded(audio: np.ndarray, count: int, start: bool, end: bool) -> np.ndarray:
    faded = np.array(audio, dtype=np.float32)
    count = min(count, len(faded) // 2)
    ramp = np.linspace(0, 1, count, endpoint=False, dtype=np.float32)
    if start:
        faded[:count] *= ramp
    if end and count:
        faded[-count:] *= ramp[::-1]
    return faded


def _warnings(parts: Sequence[tuple[Piece, Speech | None]]) -> list[str]:
    """Warnings of all pieces, with number and beginning of the piece where there are several."""
    found = []
    for number, (piece, speech) in enumerate(parts, 1):
        start = piece.text[:20] + ("…" if len(piece.text) > 20 else "")
        label = f"piece {number} of {len(parts)} ({start!r}): " if len(parts) > 1 else ""
        warnings = speech.warnings if speech is not None else ["there is nothing to read, left out"]
        if speech is not None and speech.stop == "max_steps" and len(parts) > 1:
            warnings = [*warnings, "did not end"]
        found += [label + warning for warning in warnings]
    return found
