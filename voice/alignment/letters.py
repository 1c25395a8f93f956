"""Alignment over letters: a wav2vec2, HuBERT or MMS model with a CTC head, as transformers keeps them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from voice.errors import UserError
from voice.files import sha256_file

_FILES = ("config.json", "vocab.json", "model.safetensors")


class LetterAligner:
    """Units are the model's letters; a word that is not spelled in them is spelled by its phones (pinyin, for one).

    The model has to give 50 frames a second of 16 kHz audio, as all of the wav2vec2 family do. Weights are read from
    safetensors only.
    """

    quieter = 0.0

    def __init__(self, model: str) -> None:
        """`model` is a folder, or a name on the hub, fetched once. Raises UserError when it is not there or whole."""
        self._folder = _found(model)
        for name in _FILES:
            if not (self._folder / name).is_file():
                raise UserError(f"align.aligner: {model}: {name} is missing", f"needed: {', '.join(_FILES)}")
        hashes = [sha256_file(self._folder / name) for name in _FILES]
        self.digest = hashlib.sha256("".join(hashes).encode()).hexdigest()
        vocabulary = json.loads((self._folder / "vocab.json").read_text(encoding="utf-8"))
        config = json.loads((self._folder / "config.json").read_text(encoding="utf-8"))
        self._blank = int(config.get("pad_token_id") or 0)
        self._letters = {letter: self._unit(int(n)) for letter, n in vocabulary.items() if len(letter) == 1}
        self._letters = {k: n for k, n in self._letters.items() if k.isalnum() or k == "'"}

    def _unit(self, number: int) -> int:
        """The model's blank is number 0 here, and what came before it moves up by one."""
        return 0 if number == self._blank else number + 1 if number < self._blank else number

    @cached_property
    def _model(self):  # type: ignore[no-untyped-def]  # its type would import transformers before it is needed
        from transformers import AutoModelForCTC

        return AutoModelForCTC.from_pretrained(self._folder, use_safetensors=True, local_files_only=True).eval()

    def log_probs(self, wave: torch.Tensor) -> torch.Tensor:
        """Of 16 kHz audio [N], brought to zero mean and unit variance: float32 [about N / 320, letters]."""
        even = (wave - wave.mean()) / (wave.std(correction=0) + 1e-7).clamp(min=1e-5)
        with torch.inference_mode():
            logits = self._model(even[None]).logits[0].float()
        order = [self._blank, *(n for n in range(logits.shape[-1]) if n != self._blank)]
        return torch.as_tensor(logits[:, order].log_softmax(-1))

    def units(self, word: str, phones: Sequence[str]) -> list[int]:
        """Letters of the word where the model has them all, else those of its phones without tone."""
        return self._spelled(word) or self._spelled("".join(phones).rstrip("0123456789"))

    def _spelled(self, text: str) -> list[int]:
        found = []
        for letter in (c for c in text if c.isalnum() or c == "'"):
            if letter.isdigit() and letter not in self._letters:
                continue  # a tone
            unit = next(
                (self._letters[c] for c in (letter, letter.lower(), letter.upper()) if c in self._letters), None
            )
            if unit is None:
                return []
            found.append(unit)
        return found


def _found(model: str) -> Path:
    """The folder of a model, which is fetched when it is a name on the hub."""
    if Path(model).is_dir():
        return Path(model)
    try:
        return Path(snapshot_download(model, allow_patterns=list(_FILES)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"align.aligner: {model}: neither a folder nor to be had: {reason}", "check the name"
        ) from error
