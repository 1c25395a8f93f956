"""Published GPT-SoVITS files (s1 `.ckpt`, s2 `.pth`): what network of which version, and whether it is complete.

The tensors say what a file is (specification 1.1 and 1.5); its header bytes and its config must agree. The archive
itself is opened by `voice.official_archive`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from voice.errors import UserError
from voice.nets.acoustic import Acoustic
from voice.nets.discriminator import Discriminator
from voice.nets.official import VERSIONS
from voice.nets.official_names import ACOUSTIC, DISCRIMINATOR, SEMANTIC, official_name
from voice.nets.semantic import Semantic
from voice.official_archive import AGAIN, HEADERS, OTHER, lora, read_archive, show

V3 = ("v3", "v4")  # one set of tensors
_KNOWN = (*VERSIONS, *V3)
_DTYPES = (torch.float16, torch.bfloat16, torch.float32)
_Weights = dict[str, torch.Tensor]


@dataclass(frozen=True, eq=False)
class OfficialFile:
    """What a published file holds.

    - `kind`: "semantic" (s1), "acoustic" (s2), "discriminator", or "state": a bare state dict of another network
    - `versions`: those that the tensors fit: one for s2 (for v3 and v4 two, unless the config tells), several for s1
      and the discriminators, which versions share, none for "state"
    - `weights`: published name -> tensor on the CPU in the dtype stored; complete, of the right shape and finite
    - `config`: nested dict, empty in a state dict; may hold paths of whoever trained it, so it is not to be passed on
    - `info`: what the file says of its training, as "GPT-e15" or "8epoch_592iteration"; else ""
    - `precision`: "float16", "bfloat16", "float32", or several joined by "+"
    """

    path: Path
    kind: str
    versions: tuple[str, ...]
    weights: dict[str, torch.Tensor]
    config: dict[str, Any]
    info: str
    precision: str

    @property
    def version(self) -> str | None:
        """The one version that the tensors tell, "v3/v4", or None where more versions share them."""
        return "/".join(self.versions) if len(self.versions) == 1 or self.versions == V3 else None

    @property
    def has_posterior(self) -> bool:
        """Whether `enc_q` is in it, which training alone needs and exports lack."""
        return any("enc_q" in key for key in self.weights)


def read_official(path: Path, claimed: str | None = None) -> OfficialFile:
    """Read a published or exported file, or a training state, of float16, bfloat16 or float32 (specification 1.5).

    `claimed` is the version that the file is said to be. s1 files of v2 and later cannot be told apart.

    Raises UserError, one line, when the file is missing, no torch archive, cut short or damaged; when its pickle asks
    for a class; when tensors are missing, unknown, of another shape or not finite; when tensors, header, config and
    `claimed` disagree; and for LoRA exports.
    """
    if claimed is not None and claimed not in _KNOWN:
        raise UserError(f"{claimed}: no version of GPT-SoVITS", f"versions: {', '.join(_KNOWN)}")
    mark, content = read_archive(path)
    weights, config, info, bare = _parts(path, content)
    kind, versions = _identify(path, weights)
    if kind == "state" and not bare:
        raise UserError(f"{path}: no network of GPT-SoVITS; its first tensor is {show(next(iter(weights)))}", OTHER)
    versions = _agreed(path, versions, HEADERS.get(mark), config, claimed)
    if kind != "state":
        _check_layout(path, kind, versions[0], weights)
    _check_values(path, kind, weights)
    precisions = {str(t.dtype).removeprefix("torch.") for t in weights.values() if t.is_floating_point()}
    return OfficialFile(path, kind, versions, weights, config, info, "+".join(sorted(precisions)))


@cache
def published_shapes(kind: str, version: str) -> dict[str, tuple[int, ...]]:
    """Published name -> shape of every tensor of a network ("semantic", "acoustic", "discriminator"), with `enc_q`."""
    with torch.device("meta"):
        if version in V3 and kind == "acoustic":
            from voice.nets.acoustic_v3 import AcousticV3, official_key

            return {official_key(name): tuple(t.shape) for name, t in AcousticV3().state_dict().items()}
        sizes = VERSIONS[version]
        if kind == "semantic":
            state, rows = Semantic(sizes.semantic).state_dict(), SEMANTIC
        elif kind == "acoustic":
            state, rows = Acoustic(sizes.acoustic).state_dict(), ACOUSTIC
        else:
            state, rows = Discriminator(sizes.discriminator).state_dict(), DISCRIMINATOR
    return {official_name(name, rows): tuple(t.shape) for name, t in state.items()}


def _parts(path: Path, content: Any) -> tuple[_Weights, dict[str, Any], str, bool]:
    """Weights, config, info, and whether the file is a bare state dict."""
    if not isinstance(content, dict) or not content:
        raise UserError(f"{path}: holds a {type(content).__name__}, not weights by name", OTHER)
    if "lora_rank" in content:
        raise lora(path, f"lora_rank {show(content['lora_rank'])}")
    # Exports, training states of s2, and those of s1, which Lightning writes.
    found = [content[key] for key in ("weight", "model", "state_dict") if isinstance(content.get(key), dict)]
    weights = found[0] if found else content
    for key, value in weights.items():
        if not isinstance(key, str) or not isinstance(value, torch.Tensor):
            raise UserError(f"{path}: {show(key)} holds a {type(value).__name__}, not a tensor", OTHER)
    if not weights:
        raise UserError(f"{path}: holds no tensor", OTHER)
    config, info = (content.get("config"), content.get("info")) if found else (None, None)
    if found and isinstance(content.get("iteration"), int):
        info = f"{content['iteration']}epoch"  # which is what training states count there
    try:
        json.dumps(config)
    except (TypeError, ValueError) as error:
        raise UserError(f"{path}: its config holds more than words and numbers", OTHER) from error
    return weights, config if isinstance(config, dict) else {}, info[:200] if isinstance(info, str) else "", not found


def _identify(path: Path, weights: _Weights) -> tuple[str, tuple[str, ...]]:
    """The kind of network and the versions that have such tensors, by names and three sizes (specification 1.5)."""

    def rows(key: str) -> int:
        return weights[key].shape[0] if key in weights and weights[key].dim() else 0

    def has(start: str) -> bool:
        return any(key.startswith(start) for key in weights)

    if change := next((key for key in weights if "lora_A" in key or "lora_B" in key), None):
        raise lora(path, show(change))
    if has("cfm."):
        return "acoustic", V3
    if has("model.ar_"):
        first = rows("model.ar_text_embedding.word_embeddings.weight") == VERSIONS["v1"].semantic.phones
        return "semantic", ("v1",) if first else ("v2", "v2Pro", "v2ProPlus", *V3)
    if has("discriminators."):
        return "discriminator", ("v2Pro", "v2ProPlus") if has("discriminators.6.") else ("v1", "v2")
    if "sv_emb.weight" in weights:
        return "acoustic", ("v2ProPlus" if rows("dec.conv_pre.weight") == 768 else "v2Pro",)
    if has("enc_p."):
        return "acoustic", ("v1" if rows("enc_p.text_embedding.weight") == VERSIONS["v1"].phones else "v2",)
    return "state", ()


def _agreed(
    path: Path, versions: tuple[str, ...], header: str | None, config: dict[str, Any], claimed: str | None
) -> tuple[str, ...]:
    """`versions`, of v3 and v4 the one that is named, after header, config and caller were asked."""
    model = config.get("model")
    stated = [config.get("version"), model.get("version") if isinstance(model, dict) else None]
    said = [
        ("its header says", header),
        *(("its config says", v) for v in stated if isinstance(v, str) and v in _KNOWN),
        ("you say", claimed),
    ]
    for source, version in said:
        if version is not None and version not in versions:
            fits = " or ".join(versions) or "another network"
            hint = "name the right version" if source == "you say" else "the file was changed; " + AGAIN
            raise UserError(f"{path}: the tensors are those of {fits}, but {source} {version}", hint)
        if version is not None and versions == V3:
            versions = (version,)
    return versions


def _check_layout(path: Path, kind: str, version: str, weights: _Weights) -> None:
    """Every tensor that the version has, no other, each in its shape; `enc_q` may be left out as a whole."""
    wanted = published_shapes(kind, version)
    posterior = any("enc_q" in key for key in weights)
    missing = [key for key in wanted if key not in weights and (posterior or "enc_q" not in key)]
    unknown = [key for key in weights if key not in wanted]
    for keys, what in ((missing, "is missing"), (unknown, "is unknown")):
        if keys:
            more = f", and {len(keys) - 1} more" if len(keys) > 1 else ""
            raise UserError(f"{path}: {show(keys[0])} {what} in this {kind} network of {version}{more}", AGAIN)
    for key, tensor in weights.items():
        if tuple(tensor.shape) != wanted[key]:
            shapes = f"shape is {list(tensor.shape)}, {version} has {list(wanted[key])}"
            raise UserError(f"{path}: {key}: {shapes}", "its sizes are of no published version")


def _check_values(path: Path, kind: str, weights: _Weights) -> None:
    for key, tensor in weights.items():
        if kind != "state" and tensor.dtype not in _DTYPES:
            raise UserError(f"{path}: {key} is {tensor.dtype}, not float16, bfloat16 or float32", OTHER)
        if kind == "state" and tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise UserError(f"{path}: {show(key)} repeats few values as if they were many", OTHER)
        if tensor.is_floating_point() and tensor.numel():
            low, high = torch.aminmax(tensor)  # both are NaN where one value is
            if not (torch.isfinite(low) and torch.isfinite(high)):
                raise UserError(f"{path}: {show(key)} holds NaN or infinity", "take an earlier save of that training")
