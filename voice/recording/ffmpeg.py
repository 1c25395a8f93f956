"""The files that libsndfile does not know (m4a, aac, webm, mov, wma), decoded by FFmpeg's libraries through PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError

from voice.recording.decode import BLOCK, BadAudioError, Block, Source

# The demuxer is named, so that a file cannot pass as a playlist or another kind that opens further files.
_DEMUXERS = {
    "MP4": "mov",
    "MATROSKA": "matroska",
    "AAC": "aac",
    "ASF": "asf",
    "WAV": "wav",
    "CAF": "caf",
    "OGG": "ogg",
}
_SCALE = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "flt": 1.0, "dbl": 1.0, "s64": 2.0**63}
_MISSING = 0.2  # seconds that a header may promise too much


@contextmanager
def open_ffmpeg(path: Path, kind: str) -> Iterator[Source]:
    """As `open_audio` of `voice.recording.decode`, for containers of `_DEMUXERS`: the first audio track."""
    with path.open("rb") as file:
        try:
            container = av.open(file, mode="r", format=_DEMUXERS[kind], metadata_errors="ignore")
        except (FFmpegError, OSError, ValueError) as error:
            raise _unreadable(path, str(error)) from error
        with container:
            if not container.streams.audio:
                raise _unreadable(path, "it holds no audio track")
            stream = container.streams.audio[0]
            frames = _frames(path, container, stream)
            first = next(frames, None)
            if first is None:
                raise BadAudioError(path, "empty", "holds no samples", "record or copy it again")
            # The first frame knows better than the header: AAC may double its rate and channels on the way.
            rate, channels = first.sample_rate, first.layout.nb_channels
            form = f"{kind} {stream.codec_context.name.upper()}"
            promised = _seconds(container, stream)
            blocks = _blocks(path, chain([first], frames), (rate, channels), promised)
            yield Source(path, kind, form, rate, channels, blocks)


# An OSError here is a seek to where a damaged file points.
def _frames(path: Path, container: Any, stream: Any) -> Iterator[Any]:
    try:
        yield from container.decode(stream)
    except (FFmpegError, OSError, EOFError) as error:
        raise BadAudioError(
            path, "truncated", f"cut short or damaged: {_words(error)}", "copy the whole file again"
        ) from error


def _blocks(path: Path, frames: Iterator[Any], shape: tuple[int, int], promised: float) -> Iterator[Block]:
    rate, channels = shape
    done = 0
    waiting: list[Block] = []
    for frame in frames:
        if (frame.sample_rate, frame.layout.nb_channels) != shape:
            raise _unreadable(path, f"rate or channels change after {done / rate:.1f} s")
        block = _samples(frame, channels)
        if not np.isfinite(block).all():
            raise BadAudioError(
                path, "not_finite", "holds values that are not finite", "export it again as 16 or 24 bit"
            )
        done += len(block)
        waiting.append(block)
        if sum(map(len, waiting)) >= BLOCK:
            yield np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)
    if done / rate < promised - _MISSING:
        detail = f"cut short, {done / rate:.1f} of {promised:.1f} s"
        raise BadAudioError(path, "truncated", detail, "copy the whole file again")


def _samples(frame: Any, channels: int) -> Block:
    """One frame as float32 [samples, channels]: planar or interleaved, integer or float."""
    data = frame.to_ndarray()
    form = frame.format.name
    data = data.T if form.endswith("p") else data.reshape(-1, channels)
    scale = _SCALE[form.removesuffix("p")]
    if form.startswith("u8"):
        data = data.astype(np.float32) - 128.0
    return np.ascontiguousarray(data.astype(np.float32) / np.float32(scale))


def _seconds(container: Any, stream: Any) -> float:
    """The length that the file states for its audio, 0 where it states none (as in a stream from a browser)."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    stated = stream.metadata.get("DURATION", "")
    if stated.count(":") == 2:
        hours, minutes, seconds = stated.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    if container.duration is not None and not container.streams.video:
        return float(container.duration) / av.time_base
    return 0.0


def _unreadable(path: Path, why: str) -> BadAudioError:
    why = " ".join(why.split())
    return BadAudioError(path, "not_audio", f"not readable as audio: {why}", "convert it to wav or flac")


def _words(error: Exception) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error).split())
