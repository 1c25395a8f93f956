"""s1 decoders by name. Each has `config.codes`, `config.eos`, `forward`, `generate` and `generate_batch`.

- `gpt`: the published design, text seen both ways, sizes from the mini base to the published (`voice.nets.semantic`)
- `llama`: a Llama-style decoder, causal throughout, for larger models (`voice.nets.semantic_llama`)
"""

from __future__ import annotations

from voice.nets.decoding import SemanticDecoder
from voice.nets.registry import Choice, Registry

AnySemantic = SemanticDecoder


def _gpt() -> type[AnySemantic]:
    from voice.nets.semantic import Semantic

    return Semantic


def _llama() -> type[AnySemantic]:
    from voice.nets.semantic_llama import SemanticLlama  # transformers' Llama takes seconds to import

    return SemanticLlama


SEMANTIC: Registry[AnySemantic] = Registry(
    "semantic decoder", {"gpt": Choice("semantic", _gpt), "llama": Choice("semantic-llama", _llama)}
)
make_semantic, load_semantic = SEMANTIC.make, SEMANTIC.load
