"""The mark "made by a machine" on every sound we write: a comment inside the file and a JSON beside it."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import soundfile
from numpy.typing import NDArray

from voice.audio import to_int16
from voice.errors import UserError
from voice.files import sha256_file, write_json

FORMATS = {".wav": "WAV", ".flac": "FLAC"}
NOTICE = "AI-generated speech"


def label_text(voice: str) -> str:
    """The comment inside the file, for instance "AI-generated speech: reprovoice voice=demo_en"."""
    return f"{NOTICE}: reprovoice voice={voice}"


def read_label(path: Path) -> str:
    """The comment of an audio file, "" when it has none."""
    with soundfile.SoundFile(path) as file:
        return str(file.comment)


def sidecar(path: Path) -> Path:
    """Where the facts about an audio file lie: its name with .json behind."""
    return path.with_name(path.name + ".json")


class LabelledFile:
    """Mono 16 bit wav or flac, written piece by piece, labelled, put in place only when the block ends well.

    Raises UserError for another suffix, OSError when it cannot be written whole. The same pieces give the same bytes.
    """

    def __init__(self, path: Path, rate: int, voice: str) -> None:
        if path.suffix.lower() not in FORMATS:
            raise UserError(f"{path}: cannot write {path.suffix or 'a file with no suffix'}", "use .wav or .flac")
        self.path, self.rate, self.voice = path, rate, voice
        self.frames = 0

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, self._name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        os.close(handle)
        kind = FORMATS[self.path.suffix.lower()]
        self._file = soundfile.SoundFile(self._name, "w", self.rate, 1, "PCM_16", format=kind)
        self._file.comment = label_text(self.voice)  # must precede the first sample
        return self

    def write(self, audio: NDArray[np.float32]) -> None:
        """Append samples, float32 [N] in [-1, 1]."""
        self.write_int16(to_int16(audio))

    def write_int16(self, samples: NDArray[np.int16]) -> None:
        """Append samples, int16 [N], as they are."""
        try:
            self._file.write(samples)
        except soundfile.LibsndfileError as error:
            raise self._unwritten() from error
        self.frames += len(samples)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
            if kind is None:
                # libsndfile is silent when the last block of FLAC finds no space, and leaves the header unfinished.
                if soundfile.info(self._name).frames != self.frames:
                    raise self._unwritten()
                os.chmod(self._name, 0o644)
                os.replace(self._name, self.path)
        finally:
            Path(self._name).unlink(missing_ok=True)

    def _unwritten(self) -> OSError:
        """libsndfile says only "System error"; a full disk is told by its free space."""
        full = shutil.disk_usage(self.path.parent).free < 1 << 16
        number = errno.ENOSPC if full else errno.EIO
        return OSError(number, os.strerror(number), str(self.path))


def write_labelled(
    path: Path, audio: NDArray[np.float32], rate: int, voice: str, facts: dict[str, Any]
) -> dict[str, Any]:
    """Write `audio` (float32 [N] in [-1, 1], `rate` Hz) to a labelled file, its facts beside it; return them.

    `facts` is what made it (text, seed, weights); the label, the voice and the file's sha256 are added.
    """
    with LabelledFile(path, rate, voice) as file:
        file.write(audio)
    full = {**facts, "label": label_text(voice), "voice": voice, "sha256": sha256_file(path)}
    write_json(sidecar(path), full)
    return full
