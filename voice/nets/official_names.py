"""Our parameter names and those of the published files, one table per network; both directions are complete.

A row gives our name and theirs: `*` stands for one number, `**` for all that follows. What no row names is called the
same in both. Weight norm is written `weight_g`, `weight_v` in the files and as parametrisations by torch today.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import torch

Rows = tuple[tuple[str, str], ...]

SEMANTIC: Rows = (
    ("bert_proj.**", "model.bert_proj.**"),
    ("text_embedding.weight", "model.ar_text_embedding.word_embeddings.weight"),
    ("text_position.alpha", "model.ar_text_position.alpha"),
    ("audio_embedding.weight", "model.ar_audio_embedding.word_embeddings.weight"),
    ("audio_position.alpha", "model.ar_audio_position.alpha"),
    ("layers.*.in_proj.weight", "model.h.layers.*.self_attn.in_proj_weight"),
    ("layers.*.in_proj.bias", "model.h.layers.*.self_attn.in_proj_bias"),
    ("layers.*.out_proj.**", "model.h.layers.*.self_attn.out_proj.**"),
    ("layers.*.linear1.**", "model.h.layers.*.linear1.**"),
    ("layers.*.linear2.**", "model.h.layers.*.linear2.**"),
    ("layers.*.norm1.**", "model.h.layers.*.norm1.**"),
    ("layers.*.norm2.**", "model.h.layers.*.norm2.**"),
    ("predict.weight", "model.ar_predict_layer.weight"),
)

ACOUSTIC: Rows = (
    ("enc_p.mrte.condition.**", "ge_to512.**"),
    ("speaker_proj.**", "sv_emb.**"),
    ("quantiser.**", "quantizer.vq.layers.0._codebook.**"),
    ("ref_enc.spectral.0.**", "ref_enc.spectral.0.fc.**"),
    ("ref_enc.spectral.1.**", "ref_enc.spectral.3.fc.**"),
    ("ref_enc.temporal.*.**", "ref_enc.temporal.*.conv1.conv.**"),
    ("ref_enc.query.**", "ref_enc.slf_attn.w_qs.**"),
    ("ref_enc.key.**", "ref_enc.slf_attn.w_ks.**"),
    ("ref_enc.value.**", "ref_enc.slf_attn.w_vs.**"),
    ("ref_enc.out.**", "ref_enc.slf_attn.fc.**"),
    ("ref_enc.fc.**", "ref_enc.fc.fc.**"),
    # The channel reversals between the couplings take the odd numbers there.
    ("flow.flows.1.**", "flow.flows.2.**"),
    ("flow.flows.2.**", "flow.flows.4.**"),
    ("flow.flows.3.**", "flow.flows.6.**"),
)

DISCRIMINATOR: Rows = ()

# The folder of chinese-hubert-base holds a bare HubertModel.
CONTENT: Rows = (("hubert.**", "**"),)

_NORM: Rows = (
    (".parametrizations.weight.original0", ".weight_g"),
    (".parametrizations.weight.original1", ".weight_v"),
)


def official_name(ours: str, rows: Rows) -> str:
    """The published name of our parameter `ours`."""
    for mine, theirs in _NORM:
        if ours.endswith(mine):
            ours = ours.removesuffix(mine) + theirs
    return _renamed(ours, rows)


def to_official(state: Mapping[str, torch.Tensor], rows: Rows) -> dict[str, torch.Tensor]:
    """Our tensors under their published names."""
    return {official_name(name, rows): tensor for name, tensor in state.items()}


def from_official(state: Mapping[str, torch.Tensor], ours: Iterable[str], rows: Rows) -> dict[str, torch.Tensor]:
    """Published tensors under our names. `ours` are the names that the network expects.

    Names in `state` that the network does not know keep their published form, so that a loader can tell them.
    """
    known = {official_name(name, rows): name for name in ours}
    return {known.get(name, name): tensor for name, tensor in state.items()}


def _renamed(name: str, rows: Rows) -> str:
    for source, target in rows:
        if found := re.fullmatch(_pattern(source), name):
            for part in found.groups():
                target = re.sub(r"\*+", part, target, count=1)
            return target
    return name


def _pattern(source: str) -> str:
    return re.escape(source).replace(r"\*\*", "(.+)").replace(r"\*", r"(\d+)")
