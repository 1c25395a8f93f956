"""Content encoders by name. Each has `dim`, `config` and `features(wav, lengths)` at 50 frames/s.

- `hubert`: HuBERT with log-mel or wave convolutions, and alone in having a CTC head for alignment (`voice.nets.hubert`)
- `wavlm`: WavLM on the 16 kHz wave (`voice.nets.wavlm`)
- `whisper`: Whisper's encoder on log-mel frames (`voice.nets.whisper`)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from voice.nets.hubert import ContentEncoder
from voice.nets.wavlm import WavlmContent
from voice.nets.whisper import WhisperContent
from voice.weights import read_meta

Content = ContentEncoder | WavlmContent | WhisperContent

CONTENT: dict[str, type[Content]] = {"hubert": ContentEncoder, "wavlm": WavlmContent, "whisper": WhisperContent}


def make_content(name: str, config: Any = None) -> Content:
    """A fresh encoder; `config` is its class's own dataclass, or its fields as a mapping, or None for the defaults.

    Raises ValueError when the name is unknown or the config is not one of its kind.
    """
    if name not in CONTENT:
        raise ValueError(f"unknown content encoder {name!r}: choose one of {', '.join(sorted(CONTENT))}")
    kind: type[Any] = CONTENT[name]
    if isinstance(config, Mapping):
        sizes = {key: tuple(value) if isinstance(value, list) else value for key, value in config.items()}
        if unknown := sorted(set(sizes) - set(kind.config_class.__dataclass_fields__)):
            raise ValueError(f"{name}: no such settings: {', '.join(unknown)}")
        config = kind.config_class(**sizes)
    if config is not None and not isinstance(config, kind.config_class):
        raise ValueError(f"{name} takes a {kind.config_class.__name__}, not a {type(config).__name__}")
    return kind(config)


def load_content(path: Path) -> Content:
    """Read the encoder that a file holds, whichever it is; float32, evaluation mode.

    Raises UserError when the file is missing, broken or holds another network.
    """
    try:
        found = str(read_meta(path).get("kind"))
    except (OSError, SafetensorError, json.JSONDecodeError):
        found = ""  # loading it says what is wrong with it
    kinds = {kind.kind: kind for kind in CONTENT.values()}
    return kinds.get(found, ContentEncoder).load(path)
