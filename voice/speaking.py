"""How a text is spoken: the controls of both networks in one record."""

from __future__ import annotations

from dataclasses import dataclass, fields

from voice.errors import UserError

_RANGES = {
    "noise_scale": (0.0, 2.0),
    "length_scale": (0.3, 3.0),
    "temperature": (0.01, 2.0),
    "top_k": (1, 100_000),
    "top_p": (0.01, 1.0),
    "penalty": (1.0, 5.0),
    "takes": (1, 100),
    "auditions": (1, 20),
    "retries": (0, 20),
}


@dataclass(frozen=True)
class Speaking:
    """Controls of speech; the defaults are those of the published models (specification 2.8 and 3.8).

    - noise_scale: spread of the latent around its mean, 0 is flattest
    - length_scale: above 1 is slower
    - temperature, top_k, top_p, penalty: how semantic tokens are drawn; penalty is that of repetition
    - takes: how many rows of tokens are drawn at most, to keep the one that reads best as the text
    - auditions: how many times a text is spoken, to keep the one that is heard best; 1 where no ear listens
    - retries: how many more times a text is spoken when the result is heard to skip, repeat or run on
    - prompt: go on from the reference's own tokens, its manner of speaking; without, it gives timbre and style alone

    Raises UserError for a value out of range.
    """

    noise_scale: float = 0.5
    length_scale: float = 1.0
    temperature: float = 1.0
    top_k: int = 15
    top_p: float = 1.0
    penalty: float = 1.35
    takes: int = 1
    auditions: int = 1
    retries: int = 2
    prompt: bool = True

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name not in _RANGES:
                continue
            low, high = _RANGES[field.name]
            value = getattr(self, field.name)
            if not low <= value <= high:
                raise UserError(f"{field.name} {value:g}: out of range", f"use {low:g} to {high:g}")
