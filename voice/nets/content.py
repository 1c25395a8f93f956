"""Content encoders by name. Each has `dim`, `config` and `features(wav, lengths)` at 50 frames/s.

- `hubert`: HuBERT with log-mel or wave convolutions, and alone in having a CTC head for alignment (`voice.nets.hubert`)
- `wavlm`: WavLM on the 16 kHz wave (`voice.nets.wavlm`)
- `whisper`: Whisper's encoder on log-mel frames (`voice.nets.whisper`)
"""

from __future__ import annotations

from voice.nets.content_frames import Content
from voice.nets.registry import Choice, Registry


def _hubert() -> type[Content]:
    from voice.nets.hubert import ContentEncoder

    return ContentEncoder


def _wavlm() -> type[Content]:
    from voice.nets.wavlm import WavlmContent

    return WavlmContent


def _whisper() -> type[Content]:
    from voice.nets.whisper import WhisperContent

    return WhisperContent


CONTENT: Registry[Content] = Registry(
    "content encoder",
    {
        "hubert": Choice("content", _hubert),
        "wavlm": Choice("content-wavlm", _wavlm),
        "whisper": Choice("content-whisper", _whisper),
    },
)
make_content, load_content = CONTENT.make, CONTENT.load
