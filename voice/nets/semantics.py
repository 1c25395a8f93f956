"""s1 decoders by name. Each has `config.codes`, `config.eos`, `forward`, `generate` and `generate_batch`.

- `gpt`: the published design, text seen both ways, sizes from the mini base to the published (`voice.nets.semantic`)
- `llama`: a Llama-style decoder, causal throughout, for larger models (`voice.nets.semantic_llama`)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from voice.nets.semantic import Semantic
from voice.nets.semantic_llama import SemanticLlama
from voice.weights import read_meta

AnySemantic = Semantic | SemanticLlama

SEMANTIC: dict[str, type[AnySemantic]] = {"gpt": Semantic, "llama": SemanticLlama}


def make_semantic(name: str, config: Any = None) -> AnySemantic:
    """A fresh decoder; `config` is its class's own dataclass, or its fields as a mapping, or None for the defaults.

    Raises ValueError when the name is unknown or the config is not one of its kind.
    """
    if name not in SEMANTIC:
        raise ValueError(f"unknown semantic decoder {name!r}: choose one of {', '.join(sorted(SEMANTIC))}")
    kind: type[Any] = SEMANTIC[name]
    if isinstance(config, Mapping):
        if unknown := sorted(set(config) - set(kind.config_class.__dataclass_fields__)):
            raise ValueError(f"{name}: no such settings: {', '.join(unknown)}")
        config = kind.config_class(**config)
    if config is not None and not isinstance(config, kind.config_class):
        raise ValueError(f"{name} takes a {kind.config_class.__name__}, not a {type(config).__name__}")
    return kind(config)


def load_semantic(path: Path) -> AnySemantic:
    """Read the decoder that a file holds, whichever it is; float32, evaluation mode.

    Raises UserError when the file is missing, broken or holds another network.
    """
    try:
        found = str(read_meta(path).get("kind"))
    except (OSError, SafetensorError, json.JSONDecodeError):
        found = ""  # loading it says what is wrong with it
    kinds = {kind.kind: kind for kind in SEMANTIC.values()}
    return kinds.get(found, Semantic).load(path)
