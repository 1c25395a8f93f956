"""Audio files of any common kind as blocks of samples: libsndfile reads most, FFmpeg's libraries (PyAV) the others.

The reader is chosen by what the file holds, never by its name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from voice.errors import UserError
from voice.recording.containers import SUFFIXES, missing_end, sniff

BLOCK = 1 << 16  # frames
_BY_FFMPEG = ("MP4", "MATROSKA", "AAC", "ASF")
_CODECS = ("WAV", "CAF", "OGG")  # containers of codecs that libsndfile knows only some of
_MPEG_SLACK = 3000  # samples; encoders count their delay and padding or do not
_AGAIN = "copy the whole file again"

Block = NDArray[np.float32]  # [frames, channels]


class BadAudioError(UserError):
    """A file that cannot be used. `reason` is its code in tables, `detail` the words without the file's name."""

    def __init__(self, path: Path, reason: str, detail: str, hint: str = "") -> None:
        super().__init__(f"{shown(path)}: {detail}", hint)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Source:
    """An open audio file: `kind` is the container (a key of `voice.recording.containers.SUFFIXES`), `rate` in Hz."""

    path: Path
    kind: str
    format: str
    rate: int
    channels: int
    blocks: Iterator[Block]

    @property
    def misnamed(self) -> bool:
        """Whether the suffix belongs to another kind of file."""
        return self.path.suffix.lower() not in SUFFIXES[self.kind]


def shown(path: Path) -> str:
    """The path on one line: names may hold line breaks."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in str(path))


@contextmanager
def open_audio(path: Path) -> Iterator[Source]:
    """Open any audio file; `blocks` yields float32 [frames, channels], full scale 1.0, until the end.

    Raises BadAudioError with reason `empty`, `not_audio`, `truncated` or `not_finite`, some of them only while blocks
    are read, and UserError when there is no such file.
    """
    if not path.is_file():
        raise UserError(f"{shown(path)}: no such audio file", "check the name")
    if path.stat().st_size == 0:
        raise BadAudioError(path, "empty", "the file is empty", "record or copy it again")
    kind = sniff(path)
    if not kind:
        raise BadAudioError(path, "not_audio", "not readable as audio: unknown format", _wanted())
    if lost := missing_end(path, kind):
        raise BadAudioError(path, "truncated", f"cut short, {lost}", _AGAIN)
    file = None if kind in _BY_FFMPEG else _sndfile(path, kind)
    if file is None:
        from voice.recording.ffmpeg import open_ffmpeg  # a large library that few recordings need

        with open_ffmpeg(path, kind) as source:
            yield source
        return
    with file:
        form = f"{kind} {file.subtype}"
        yield Source(path, kind, form, file.samplerate, file.channels, _finite(path, _read(path, file)))


def _sndfile(path: Path, kind: str) -> soundfile.SoundFile | None:
    """libsndfile's view of the file; None where it knows the container and FFmpeg may know the codec in it."""
    try:
        return soundfile.SoundFile(os.open(path, os.O_RDONLY))  # a descriptor hides the name's suffix
    except soundfile.LibsndfileError as error:
        if kind in _CODECS:
            return None
        raise BadAudioError(path, "not_audio", f"not readable as audio: {_words(error)}", _wanted()) from error


def _read(path: Path, file: soundfile.SoundFile) -> Iterator[Block]:
    """All blocks; libsndfile ends early, with or without an error, where a compressed file is cut."""
    expected, done = file.frames, 0
    while True:
        try:
            block = file.read(BLOCK, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            detail = f"cut short or damaged after {done / file.samplerate:.1f} s: {_words(error)}"
            raise BadAudioError(path, "truncated", detail, _AGAIN) from error
        if len(block) == 0:
            break
        done += len(block)
        yield block
    slack = _MPEG_SLACK if file.subtype.startswith("MPEG") else 0
    if done < expected - slack:
        raise BadAudioError(path, "truncated", f"cut short, {done} of {expected} samples", _AGAIN)


def _finite(path: Path, blocks: Iterator[Block]) -> Iterator[Block]:
    for block in blocks:
        if not np.isfinite(block).all():
            raise BadAudioError(
                path, "not_finite", "holds values that are not finite", "export it again as 16 or 24 bit"
            )
        yield block


def _words(error: Exception) -> str:
    return " ".join(str(error).rsplit(": ", 1)[-1].rstrip(".").split())


def _wanted() -> str:
    return "use an intact wav, flac, ogg, mp3 or m4a"
