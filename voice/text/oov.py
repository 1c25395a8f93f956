"""Pronunciation of English words outside the lexicon: the small GRU encoder-decoder shipped with g2p_en.

Only its weights are read (a plain npz); the package itself is not imported because importing it
downloads data. The network is a letter encoder whose last state starts a greedy phone decoder.
"""

from __future__ import annotations

import importlib.util
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from voice.errors import UserError
from voice.text.symbols import CONSONANTS, VOWELS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

_END = 2  # "</s>" among the letters
_LETTERS = {letter: number for number, letter in enumerate("abcdefghijklmnopqrstuvwxyz", start=3)}
_START, _STOP = 2, 3
# The network also knows a stray "UW" without stress, read as UW1.
_PHONES = ["", "", "", "", *sorted([*CONSONANTS, "UW", *(v + s for v in VOWELS for s in "012")])]
_MAX_PHONES = 20
_MAX_LETTERS = 24


@cache
def _weights() -> dict[str, Array]:
    import numpy as np

    found = importlib.util.find_spec("g2p_en")
    if found is None or found.origin is None:
        raise UserError("package g2p_en is not installed", hint="pip install g2p-en")
    with np.load(Path(found.origin).parent / "checkpoint20.npz", allow_pickle=False) as archive:
        return {name: archive[name].astype(np.float32) for name in archive.files}


def _step(x: Array, state: Array, part: str) -> Array:
    """One GRU step: x [E], state [H] -> state [H]; gates in the order reset, update, candidate."""
    import numpy as np

    weights = _weights()
    from_input = weights[f"{part}_w_ih"] @ x + weights[f"{part}_b_ih"]
    from_state = weights[f"{part}_w_hh"] @ state + weights[f"{part}_b_hh"]
    size = state.shape[0]
    gates = 1.0 / (1.0 + np.exp(-(from_input[: 2 * size] + from_state[: 2 * size])))
    reset, update = gates[:size], gates[size:]
    candidate = np.tanh(from_input[2 * size :] + reset * from_state[2 * size :])
    return ((1.0 - update) * candidate + update * state).astype(np.float32)


@lru_cache(maxsize=8192)
def predict(word: str) -> tuple[str, ...]:
    """ARPAbet phones guessed for a lower-case word (letters a to z; others are ignored)."""
    letters = [_LETTERS[letter] for letter in word if letter in _LETTERS]
    phones: list[str] = []
    # The decoder stops after 20 phones, so a very long word is read in pieces.
    for start in range(0, len(letters), _MAX_LETTERS):
        phones.extend(_decode(letters[start : start + _MAX_LETTERS]))
    return tuple(phones)


def _decode(letters: list[int]) -> list[str]:
    import numpy as np

    weights = _weights()
    state = np.zeros(weights["enc_w_hh"].shape[1], np.float32)
    for letter in [*letters, _END]:
        state = _step(weights["enc_emb"][letter], state, "enc")
    phones: list[str] = []
    last = _START
    for _ in range(_MAX_PHONES):
        state = _step(weights["dec_emb"][last], state, "dec")
        last = int(np.argmax(weights["fc_w"] @ state + weights["fc_b"]))
        if last == _STOP:
            break
        if _PHONES[last]:
            phones.append("UW1" if _PHONES[last] == "UW" else _PHONES[last])
    return phones
