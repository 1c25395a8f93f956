"""Readings of Chinese characters by a g2pW model, where the user has one.

The environment variable REPROVOICE_G2PW names a folder with g2pW.onnx, vocab.txt of its BERT tokenizer,
POLYPHONIC_CHARS.txt, MONOPHONIC_CHARS.txt, bopomofo_to_pinyin_wo_tune_dict.json and char_bopomofo_dict.json.
Without the variable, a file or onnxruntime there is no model, and dictionaries and rules read alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

VARIABLE = "REPROVOICE_G2PW"
_MODEL, _VOCABULARY = "g2pW.onnx", "vocab.txt"
_POLYPHONIC, _MONOPHONIC = "POLYPHONIC_CHARS.txt", "MONOPHONIC_CHARS.txt"
_PINYIN, _BOPOMOFO = "bopomofo_to_pinyin_wo_tune_dict.json", "char_bopomofo_dict.json"
_FILES = (_MODEL, _VOCABULARY, _POLYPHONIC, _MONOPHONIC, _PINYIN, _BOPOMOFO)
# The model is no help with these; 似 and 攢 are listed as having one reading although they have several.
_NOT_ASKED = frozenset("一不倒剖勁听咋和嗲噢奔差拗攢泊瘙肖誒難")
_NOT_SINGLE = frozenset("似攢")
_WINDOW = 16


class G2pw:
    """One loaded model. Calls may come from several threads."""

    def __init__(self, folder: Path) -> None:
        self._numpy = np = import_module("numpy")
        options = import_module("onnxruntime").SessionOptions()
        options.intra_op_num_threads = 1
        self._session: Any = import_module("onnxruntime").InferenceSession(
            str(folder / _MODEL), options, providers=["CPUExecutionProvider"]
        )
        self._taiwan: Any = import_module("opencc").OpenCC("s2tw")
        vocabulary = (folder / _VOCABULARY).read_text(encoding="utf-8").splitlines()
        self._tokens = {token: number for number, token in enumerate(vocabulary)}
        polyphonic = _pairs(folder / _POLYPHONIC)
        self._single = {c: label for c, label in _pairs(folder / _MONOPHONIC) if c not in _NOT_SINGLE}
        self._labels = sorted({label for _, label in polyphonic})
        self._characters = sorted({character for character, _ in polyphonic})
        self._allowed = np.zeros((len(self._characters), len(self._labels)), dtype=np.float32)
        for character, label in polyphonic:
            self._allowed[self._characters.index(character), self._labels.index(label)] = 1
        self._sounds: Mapping[str, str] = json.loads((folder / _PINYIN).read_text(encoding="utf-8"))
        self._usual: Mapping[str, list[str]] = json.loads((folder / _BOPOMOFO).read_text(encoding="utf-8"))

    def read(self, text: str) -> tuple[dict[int, str], set[int]]:
        """Place -> numbered pinyin of the characters the model or its lists know, and which the model was asked."""
        written = self._taiwan.convert(text)
        if len(written) != len(text):
            return {}, set()
        known = set(self._characters) - _NOT_ASKED
        asked = [place for place, character in enumerate(written) if character in known]
        found = {place: self._certain(character) for place, character in enumerate(written) if place not in asked}
        if asked:
            start, end = max(asked[0] - _WINDOW, 0), asked[-1] + _WINDOW + 1
            found |= dict(zip(asked, self._answers(written[start:end], [p - start for p in asked]), strict=True))
        return {place: sound for place, sound in sorted(found.items()) if sound}, set(asked)

    def _answers(self, window: str, places: list[int]) -> list[str]:
        """Likeliest allowed label of each place of a window, as pinyin."""
        np = self._numpy
        unknown = self._tokens.get("[UNK]", 0)
        ids = [self._tokens["[CLS]"], *(self._tokens.get(c, unknown) for c in window.lower()), self._tokens["[SEP]"]]
        rows = [self._characters.index(window[place]) for place in places]
        mask = self._allowed[rows]
        tokens = np.tile(np.array(ids, dtype=np.int64), (len(places), 1))
        (scores,) = self._session.run(
            None,
            {
                "input_ids": tokens,
                "token_type_ids": np.zeros_like(tokens),
                "attention_mask": np.ones_like(tokens),
                "phoneme_mask": mask,
                "char_ids": np.array(rows, dtype=np.int64),
                "position_ids": np.array(places, dtype=np.int64) + 1,  # [CLS] stands first
            },
        )[:1]
        best = np.where(mask > 0, np.asarray(scores), -np.inf).argmax(axis=1)
        return [self._pinyin(self._labels[label]) for label in best]

    def _certain(self, character: str) -> str:
        """Reading of a character that has only one, else empty."""
        if character in self._single:
            return self._pinyin(self._single[character])
        usual = self._usual.get(character, ())
        return self._pinyin(usual[0]) if len(usual) == 1 else ""

    def _pinyin(self, label: str) -> str:
        """ "ㄓㄤ3" -> "zhang3"; empty if the table lacks the syllable."""
        sound = self._sounds.get(label[:-1], "")
        return sound + label[-1] if sound else ""


def _pairs(path: Path) -> list[tuple[str, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(line.split("\t")[0], line.split("\t")[1]) for line in lines if "\t" in line]


@lru_cache(maxsize=4)
def _loaded(folder: str) -> G2pw | None:
    path = Path(folder)
    complete = all((path / name).is_file() for name in _FILES)
    return G2pw(path) if complete and _has_runtime() else None


@cache
def _has_runtime() -> bool:
    return find_spec("onnxruntime") is not None


def heard_by_model(text: str) -> tuple[dict[int, str], set[int]]:
    """Place -> numbered pinyin by the user's g2pW folder, and which of them the model chose; empty without one."""
    folder = os.environ.get(VARIABLE, "")
    model = _loaded(folder) if folder else None
    return model.read(text) if model else ({}, set())
