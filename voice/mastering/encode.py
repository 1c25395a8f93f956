"""A book written as wav, flac, opus, mp3 or m4b: streamed, whole or not at all, labelled, the same bytes each time."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
import soxr
from av.error import FFmpegError
from av.stream import Disposition
from numpy.typing import NDArray

from voice.errors import UserError
from voice.files import sha256_file
from voice.mastering import chapters as marks
from voice.mastering.blocks import as_float, as_int16, even
from voice.mastering.chapters import Chapter
from voice.mastering.cover import Cover, as_comment
from voice.mastering.kinds import Kind, find_kind
from voice.mastering.m4b import add_items
from voice.mastering.riff import write_riff
from voice.mastering.tags import AIGC, Label, metadata

_FRAME = 4096  # samples, for encoders that take any number
_AUDIOBOOK = "2"  # iTunes' kind of media
_LATE = 0.05  # seconds that a chapter may end after the last sample


@dataclass(frozen=True)
class Written:
    """A finished file; `seconds` of what went in, `rate` in Hz of what came out."""

    path: Path
    seconds: float
    rate: int
    sha256: str


@dataclass(frozen=True)
class _Job:
    kind: Kind
    rate: int
    tags: dict[str, str]
    chapters: list[Chapter]
    cover: Cover | None
    bits: int


def write(
    blocks: Iterable[NDArray[Any]],
    rate: int,
    path: Path,
    *,
    label: Label,
    tags: Mapping[str, str] | None = None,
    chapters: Sequence[Chapter] = (),
    cover: Cover | None = None,
    bits: int | None = None,
) -> Written:
    """Write mono samples (blocks of int16 or float32 [N], `rate` Hz) to `path`, whose suffix tells the kind.

    `tags` by the names of `voice.mastering.tags.NAMES`; `bits` a second for opus, mp3, m4b. Wav has no place for
    chapters and cover, they are left out there. A rate that a kind does not know is raised to the next one. Raises
    UserError for another suffix and for no samples at all, ValueError for chapters out of order or after the end,
    OSError when the disk refuses; then `path` is as it was.
    """
    kind = find_kind(path.suffix.removeprefix("."), path)
    out_rate = kind.rate(rate)
    chosen = bits or kind.bits(out_rate)
    job = _Job(kind, out_rate, metadata(tags or {}, label), marks.checked(chapters), cover, chosen)
    counted = _Counted(blocks)
    with _whole_file(path) as file:
        stream = _samples(counted, rate, out_rate)
        if kind.encoder:
            _encode(file, stream, job)
        else:
            write_riff(file, stream, out_rate, job.tags)
        if not counted.samples:
            raise UserError(f"{path}: no sound to write", "render a line first")
        seconds = counted.samples / rate
        if job.chapters and job.chapters[-1].end > seconds + _LATE:
            raise ValueError(f"chapters end at {job.chapters[-1].end} s, the sound at {seconds} s")
    return Written(path, seconds, out_rate, sha256_file(path))


class _Counted:
    """The blocks as they are; `samples` of them went by."""

    def __init__(self, blocks: Iterable[NDArray[Any]]) -> None:
        self._blocks = blocks
        self.samples = 0

    def __iter__(self) -> Iterator[NDArray[Any]]:
        for block in self._blocks:
            self.samples += len(block)
            yield block


@contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    """A temporary file beside `path`, put in its place when the block ends well, else removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        with _open(name) as file:
            yield file
        os.chmod(name, 0o644)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def _open(name: str) -> BinaryIO:
    return open(name, "w+b")  # noqa: SIM115 - its caller closes it


def _samples(blocks: Iterable[NDArray[Any]], rate: int, target: int) -> Iterator[NDArray[np.int16]]:
    """int16 at `target` Hz, in blocks of one length whatever the length of those that come in."""
    if rate == target:
        yield from even(map(as_int16, blocks))
        return
    # From float to float: on integers soxr adds dither.
    resampler = soxr.ResampleStream(rate, target, 1, dtype="float32", quality="HQ")
    for block in even(map(as_float, blocks)):
        if len(out := resampler.resample_chunk(np.ascontiguousarray(block))):
            yield as_int16(out)
    if len(out := resampler.resample_chunk(np.zeros(0, np.float32), last=True)):
        yield as_int16(out)


def _encode(file: BinaryIO, blocks: Iterable[NDArray[np.int16]], job: _Job) -> None:
    options = {"fflags": "+bitexact", **job.kind.options}
    container: Any = av.open(file, "w", format=job.kind.muxer, options=options)
    try:
        _mux(container, blocks, job)
        container.close()
    except BaseException:
        with suppress(FFmpegError, OSError):  # closing writes, and would hide why it went wrong
            container.close()
        raise
    if job.kind.cover == "item":
        add_items(file, {AIGC: job.tags[AIGC]}, job.cover)


def _mux(container: Any, blocks: Iterable[NDArray[np.int16]], job: _Job) -> None:
    kind = job.kind
    stream = container.add_stream(
        kind.encoder, rate=job.rate, layout="mono", format=kind.sample, options={"flags": "+bitexact"}
    )
    stream.codec_context.thread_count = 1
    if job.bits:
        stream.codec_context.bit_rate = job.bits
    container.metadata.update(_metadata(job))
    if kind.chapters == "container" and job.chapters:
        container.set_chapters(marks.for_container(job.chapters))
    picture = _add_picture(container, job.cover) if job.cover and kind.cover == "stream" else None
    container.start_encoding()
    if picture is not None:
        container.mux(picture)
    for frame in _frames(blocks, stream.codec_context.frame_size or _FRAME, job):
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _metadata(job: _Job) -> dict[str, str]:
    tags = dict(job.tags)
    if job.kind.chapters == "comments":
        # FFmpeg renames a comment to DESCRIPTION, where libsndfile does not look. It writes KEY=VALUE as they are, so
        # a key may hold the first part of the text.
        key, _, value = f"COMMENT={tags.pop('comment')}".rpartition("=")
        tags |= {key: value, **marks.as_comments(job.chapters)}
    if job.kind.cover == "comment" and job.cover:
        tags["METADATA_BLOCK_PICTURE"] = as_comment(job.cover)
    if job.kind.name == "m4b":
        tags["media_type"] = _AUDIOBOOK
    return tags


def _add_picture(container: Any, cover: Cover) -> Any:
    """A stream for the cover, and the packet that is all of it."""
    demuxer = "jpeg_pipe" if cover.mime == "image/jpeg" else "png_pipe"
    source: Any
    with av.open(io.BytesIO(cover.data), format=demuxer) as source:
        packet = next(packet for packet in source.demux(video=0) if packet.size)
        stream = container.add_stream_from_template(source.streams.video[0])
        stream.disposition = Disposition.attached_pic
        packet.stream, packet.pts, packet.dts = stream, 0, 0
    return packet


def _frames(blocks: Iterable[NDArray[np.int16]], size: int, job: _Job) -> Iterator[Any]:
    position = 0
    factor = np.float32(job.kind.factor(job.bits, job.rate))
    for block in even(blocks, size):
        data = block[None] if job.kind.sample != "fltp" else as_float(block)[None] / factor
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(data), format=job.kind.sample, layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = job.rate, position, Fraction(1, job.rate)
        position += len(block)
        yield frame
