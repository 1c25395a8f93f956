"""Content encoders by name. Each has `dim`, `config` and `features(wav, lengths)` at 50 frames/s.

- `hubert`: HuBERT with log-mel or wave convolutions, and a CTC head (`voice.nets.hubert`)
- `whisper-units`: phone posteriors of Whisper's first layers, and a CTC head (`voice.nets.whisper_units`)
- `wavlm`: WavLM on the 16 kHz wave (`voice.nets.wavlm`)
- `whisper`: Whisper's encoder on log-mel frames (`voice.nets.whisper`)
"""

from __future__ import annotations

from pathlib import Path

from voice.errors import UserError
from voice.nets.content_frames import Content, PhoneRecogniser
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


def _whisper_units() -> type[Content]:
    from voice.nets.whisper_units import WhisperUnits

    return WhisperUnits


CONTENT: Registry[Content] = Registry(
    "content encoder",
    {
        "hubert": Choice("content", _hubert),
        "whisper-units": Choice("content-whisper-units", _whisper_units),
        "wavlm": Choice("content-wavlm", _wavlm),
        "whisper": Choice("content-whisper", _whisper),
    },
)
make_content, load_content = CONTENT.make, CONTENT.load


def load_phone_recogniser(path: Path) -> PhoneRecogniser:
    """The content encoder in a file, which must have a CTC head. Raises UserError when it has none."""
    found = load_content(path)
    if not isinstance(found, PhoneRecogniser):
        raise UserError(f"{path}: {found.kind} has no CTC head", "align with an encoder that has one")
    return found
