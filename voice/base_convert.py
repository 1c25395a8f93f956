"""The published base weights as files of ours: one network a file, our names, float16, config in the metadata.

Every tensor of a published file is accounted for: a name that is missing, unknown or of another shape is refused, so
that nothing of a network is ever left as it was initialised. The published files hold float16; that is kept as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from voice.errors import UserError
from voice.fetch import Source
from voice.files import write_bytes
from voice.nets.acoustic import Acoustic
from voice.nets.bert import SKIPPED, BertFeatures, BertFeaturesConfig, check_tokenizer
from voice.nets.discriminator import Discriminator
from voice.nets.hubert import ContentEncoder
from voice.nets.official import CONTENT, VERSIONS
from voice.nets.official_names import ACOUSTIC, DISCRIMINATOR, SEMANTIC, Rows, from_official
from voice.nets.official_names import CONTENT as CONTENT_ROWS
from voice.nets.semantic import Semantic
from voice.nets.speaker import SpeakerConfig, SpeakerNet
from voice.nets.stored import Stored
from voice.official_files import read_official
from voice.weights import half

BERT, SPEAKER = BertFeaturesConfig(), SpeakerConfig()
TOKENIZER = "bert_tokenizer.json"
_OURS = ("semantic", "acoustic", "discriminator")  # networks that differ from version to version
_HEADS = ("cls.", "pooler.")
_OLD_NORM = {".LayerNorm.gamma": ".LayerNorm.weight", ".LayerNorm.beta": ".LayerNorm.bias"}
_NEW_NORM = {
    ".parametrizations.weight.original0": ".weight_g",
    ".parametrizations.weight.original1": ".weight_v",
}
_SHOWN = 3
_NOT_IT = "this is not the published file that the card means"


def files_of(version: str) -> tuple[str, ...]:
    """Names of the files that a base of `version` (a key of VERSIONS) is made of."""
    names = [*_OURS, "content", "bert"] + (["speaker"] if VERSIONS[version].acoustic.speaker else [])
    return (*(f"{name}.safetensors" for name in names), TOKENIZER)


def sources_of(card: Mapping[str, Any]) -> dict[str, Source]:
    """The published files of a card, by the name of the file that each becomes.

    Raises UserError when the card's version or sample rate is wrong, or its list of sources incomplete.
    """
    version = card.get("version")
    if version not in VERSIONS:
        raise UserError(f"version = {version!r}", f"known: {', '.join(VERSIONS)}")
    if card.get("sample_rate") != (rate := VERSIONS[version].acoustic.sample_rate):
        raise UserError(f"sample_rate = {card.get('sample_rate')!r}: {version} speaks at {rate} Hz")
    if differing := sorted(set(files_of(version)) ^ set(card["sources"])):
        raise UserError(
            f"sources: {', '.join(differing)}: missing or not known", f"needs {', '.join(files_of(version))}"
        )
    made = {}
    for name in files_of(version):
        try:
            made[name] = Source.from_card(card["sources"][name])
        except UserError as error:
            raise UserError(f"sources.{name}: {error.message}", error.hint) from error
    return made


def convert(name: str, version: str, source: Source, path: Path, target: Path) -> None:
    """Write the published file at `path`, fetched from `source`, to `target` as the base's file `name`.

    A network becomes float16 safetensors that its class loads (`Stored.load`), with `source` in the metadata; the
    tokenizer is copied. Equal inputs give equal bytes. Raises UserError when the file is not what `name` says.
    """
    if name == TOKENIZER:
        check_tokenizer(path, BERT.vocab)
        write_bytes(target, path.read_bytes())
        return
    stem = name.removesuffix(".safetensors")
    try:
        model = _filled(stem, version, path)
    except UserError as error:
        raise UserError(f"{name} from {source.label}: {error.message}", error.hint) from error
    origin = {"repo": source.repo, "revision": source.revision, "path": source.path, "sha256": source.sha256}
    model.save(target, {"source": origin, "version": version})


def _filled(stem: str, version: str, path: Path) -> Stored:
    """The network `stem` of `version` with the weights of a published file."""
    read = read_official(path)
    kind = stem if stem in _OURS else "state"
    if read.kind != kind or (stem in _OURS and version not in read.versions):
        found = f"{read.kind} of {' or '.join(read.versions) or 'no version'}"
        raise UserError(f"{path}: holds {found}, not {stem} of {version}", _NOT_IT)
    network, config, rows = _network(stem, version)
    weights = read.weights
    if stem == "content":
        weights = {_renamed(name.removeprefix("hubert."), _NEW_NORM): t for name, t in weights.items()}
    elif stem == "bert":
        weights = _lower_layers(path, weights)
    with torch.device("meta"):  # a network without numbers: all come from the file
        model = network(config)
    wanted = model.state_dict()
    state = half(from_official(weights, wanted, rows))
    _compare(path, wanted, state)
    model.load_state_dict(state, assign=True)
    return model


def _network(stem: str, version: str) -> tuple[type[Stored], Any, Rows]:
    """Class, sizes and names of a network."""
    sizes = VERSIONS[version]
    table: dict[str, tuple[type[Stored], Any, Rows]] = {
        "semantic": (Semantic, sizes.semantic, SEMANTIC),
        "acoustic": (Acoustic, sizes.acoustic, ACOUSTIC),
        "discriminator": (Discriminator, sizes.discriminator, DISCRIMINATOR),
        "content": (ContentEncoder, CONTENT, CONTENT_ROWS),
        "bert": (BertFeatures, BERT, ()),
        "speaker": (SpeakerNet, SPEAKER, ()),
    }
    return table[stem]


def _lower_layers(path: Path, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The embeddings and layers of a BERT that are used; the rest of a whole one, with or without heads, is dropped."""
    kept, depth = {}, 0
    for name, tensor in weights.items():
        plain = _renamed(name.removeprefix("bert."), _OLD_NORM)
        layer = re.match(r"encoder\.layer\.(\d+)\.", plain)
        number = int(layer[1]) if layer else -1
        depth = max(depth, number + 1)
        # Old files list the numbers of the positions, 0, 1, 2 and so on.
        if number < BERT.layers and not plain.startswith(_HEADS) and plain != "embeddings.position_ids":
            kept[f"bert.{plain}"] = tensor
    if depth != BERT.layers + SKIPPED:
        raise UserError(f"{path}: {depth} layers, not {BERT.layers + SKIPPED}", _NOT_IT)
    return kept


def _renamed(name: str, ends: Mapping[str, str]) -> str:
    for old, new in ends.items():
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name


def _compare(path: Path, wanted: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor]) -> None:
    """Raise UserError unless `state` has the names and shapes of `wanted`, and numbers that float16 can hold."""
    both = wanted.keys() & state.keys()
    faults = {
        "missing": wanted.keys() - state.keys(),
        "not known": state.keys() - wanted.keys(),
        "of another shape": {name for name in both if wanted[name].shape != state[name].shape},
        "beyond float16": {name for name in both if not torch.isfinite(state[name]).all()},
    }
    told = []
    for what, names in faults.items():
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            told.append(f"{what}: {', '.join(sorted(names)[:_SHOWN])}{more}")
    if told:
        raise UserError(f"{path}: {'; '.join(told)}", _NOT_IT)
