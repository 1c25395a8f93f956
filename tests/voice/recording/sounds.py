"""Audio files of kinds that soundfile cannot write, made with the encoders that PyAV brings."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def encode(path: Path, wave: NDArray[np.float32], rate: int, codec: str, container: str | None = None) -> None:
    """Write mono `wave` [N]; the container is that of the suffix unless it is named."""
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate)
        stream.codec_context.layout, stream.codec_context.bit_rate = "mono", 96000
        stream.codec_context.open()
        frame = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(stream.codec_context.format, "mono", rate, frame_size=size)
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
