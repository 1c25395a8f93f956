"""The words of sound without a transcript, by a recogniser that is chosen by name. What it finds is a draft."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from voice.audio import Wave, read_audio, resample
from voice.errors import UserError
from voice.files import sha256_file
from voice.text.mandarin_script import to_simplified

RATE = 16000
INSTALL = "pip install 'reprovoice[recognise]'"
# Whisper writes Chinese without marks unless it is begun for it.
_PROMPTS = {"zh": "以下是普通话的句子。"}
_FILES = ("model.bin", "tokenizer.json")


@dataclass(frozen=True)
class HeardWord:
    """A word as it is written, its start and end (s in the file), and its probability in [0, 1]."""

    text: str
    start: float
    end: float
    prob: float


@dataclass(frozen=True)
class Heard:
    """What is said in one file: text, "" when nothing; its language as given or found; the words with their times."""

    text: str
    lang: str
    words: tuple[HeardWord, ...]


class Recogniser(Protocol):
    """Hears one file at a time; `digest` (hex sha256) stands for its weights in the key of a cache."""

    digest: str

    def hear(self, file: Path, lang: str | None) -> Heard:
        """The words of an audio file in `lang`, or in the language that is found when that is None."""
        ...

    def hear_samples(self, wave: Wave, lang: str | None) -> Heard:
        """The same of samples at 16 kHz, float32 [N]."""
        ...


class Whisper:
    """OpenAI's Whisper (Radford et al. 2022) in the CTranslate2 form, through faster-whisper.

    The same words for the same sound: beam search at temperature 0, with no second try at a higher one, and no text
    carried from one window to the next. Made for segments: a file is held in memory as a whole.
    """

    def __init__(self, model: Any, digest: str) -> None:
        """`model` is a faster_whisper.WhisperModel, or has the parts of it that are used here."""
        self._model = model
        self.digest = digest

    @classmethod
    def load(cls, model: str, threads: int = 2) -> Self:
        """The model in a folder, or one of faster-whisper's names ("small"), fetched once unless HF_HUB_OFFLINE is set.

        Raises UserError when the package or the model is not there.
        """
        try:
            from faster_whisper import WhisperModel
            from faster_whisper.utils import download_model
        except ImportError as error:
            raise UserError("recognise: the package faster-whisper is not installed", INSTALL) from error
        folder = model_folder(model, download_model)
        try:
            loaded = WhisperModel(str(folder), device="cpu", compute_type="float32", cpu_threads=threads)
        except (RuntimeError, ValueError, OSError) as error:
            reason = " ".join(str(error).split())
            raise UserError(f"{folder}: not a Whisper model: {reason}", "fetch or convert it again") from error
        return cls(loaded, digest_of(folder))

    def hear(self, file: Path, lang: str | None) -> Heard:
        """See `Recogniser`. Raises UserError when the file is no audio or the model does not know the language."""
        wave, rate = read_audio(file)
        return self.hear_samples(resample(wave, rate, RATE), lang)

    def hear_samples(self, wave: Wave, lang: str | None) -> Heard:
        """See `Recogniser`. Raises UserError when the model does not know the language."""
        sound = np.ascontiguousarray(wave, dtype=np.float32)
        wanted = None if lang in (None, "auto") else lang
        if wanted is not None and not self._knows(wanted):
            raise UserError(f"recognise: the model knows no {wanted}", "take a model that does, or give a transcript")
        found, info = self._model.transcribe(
            sound,
            language=wanted,
            task="transcribe",
            beam_size=5,
            temperature=0.0,
            condition_on_previous_text=False,
            initial_prompt=_PROMPTS.get(wanted or ""),
            word_timestamps=True,
            vad_filter=False,
        )
        parts = list(found)  # an iterator: the work is done here
        script = to_simplified if info.language == "zh" else str  # Whisper mixes both scripts
        words = tuple(
            HeardWord(
                script(word.word.strip()),
                round(float(word.start), 3),
                round(float(word.end), 3),
                _share(word.probability),
            )
            for part in parts
            for word in part.words or ()
        )
        return Heard(script("".join(part.text for part in parts).strip()), str(info.language), words)

    def _knows(self, lang: str) -> bool:
        """faster-whisper itself would go on without a word: in English, or in no language."""
        if not self._model.model.is_multilingual:
            return lang == "en"
        return self._model.hf_tokenizer.token_to_id(f"<|{lang}|>") is not None


def _share(value: float) -> float:
    return round(min(1.0, max(0.0, float(value))), 4)


RECOGNISERS: dict[str, Callable[[str, int], Recogniser]] = {"whisper": Whisper.load}


def load_recogniser(model: str, backend: str = "whisper", threads: int = 2) -> Recogniser:
    """A recogniser by the name of its kind. Raises UserError for an unknown kind, or when it cannot be loaded."""
    if backend not in RECOGNISERS:
        raise UserError(f"recognise: no recogniser {backend!r}", f"known: {', '.join(RECOGNISERS)}")
    return RECOGNISERS[backend](model, threads)


def recognise(
    files: Sequence[Path], lang: str | None, model: str, *, backend: str = "whisper", threads: int = 2
) -> list[Heard]:
    """What is said in each file. Raises UserError as `load_recogniser` and `hear` do."""
    recogniser = load_recogniser(model, backend, threads)
    return [recogniser.hear(file, lang) for file in files]


def model_folder(model: str, download: Callable[..., str]) -> Path:
    """The folder with a model's files: `model` itself when it is a path, else what `download` has under that name."""
    folder = Path(model).expanduser()
    if not folder.is_dir() and (folder.is_absolute() or model.startswith(".")):
        raise UserError(f"{model}: no such folder with a Whisper model", "check the path")
    if not folder.is_dir():
        offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON")
        try:
            folder = Path(download(model, local_files_only=offline))
        except Exception as error:  # each kind of broken network has its own class
            reason = " ".join(str(error).split())[:200]
            hint = "give a folder, or a name such as small"
            hint = f"{hint}; HF_HUB_OFFLINE is set: unset it to fetch the model once" if offline else hint
            raise UserError(f"{model}: no such folder, and the model was not found: {reason}", hint) from error
    if missing := [name for name in _FILES if not (folder / name).is_file()]:
        hint = "a model in CTranslate2 form is needed (ct2-transformers-converter makes one)"
        raise UserError(f"{folder}: no Whisper model: {missing[0]} is missing", hint)
    return folder


def digest_of(folder: Path) -> str:
    """Hex sha256 over the files of a model."""
    found = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    rows = "".join(f"{path.name} {sha256_file(path)}\n" for path in found)
    return hashlib.sha256(rows.encode()).hexdigest()
