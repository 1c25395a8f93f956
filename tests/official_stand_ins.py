"""Made-up files in the published format, small enough for tests: every part of the networks, other widths."""

from __future__ import annotations

import sys
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertForMaskedLM

from tests.golden import fill_module
from tests.voice.nets.test_bert import WORDS, write_tokenizer
from voice import base_convert
from voice.nets.acoustic import Acoustic
from voice.nets.bert import SKIPPED, BertFeatures, BertFeaturesConfig
from voice.nets.discriminator import Discriminator, DiscriminatorConfig
from voice.nets.hubert import ContentEncoder
from voice.nets.official import CONTENT, VERSIONS
from voice.nets.official_names import ACOUSTIC, DISCRIMINATOR, SEMANTIC, Rows, official_name, to_official
from voice.nets.official_names import CONTENT as CONTENT_ROWS
from voice.nets.semantic import Semantic
from voice.nets.speaker import SpeakerConfig, SpeakerNet
from voice.nets.stored import Stored
from voice.official_files import published_shapes
from voice.weights import half

SPEAKER = SpeakerConfig(mels=20, channels=8, blocks=(1, 1, 1, 1), speaker=6)
HUBERT = replace(
    CONTENT, hidden=32, layers=2, heads=2, ffn=32, conv_dim=(16,) * 7, position_kernel=8, position_groups=4,
    feature_layer=2,
)  # fmt: skip
BERT = BertFeaturesConfig(vocab=len(WORDS), hidden=16, layers=2, heads=2, ffn=24, positions=32)
CLASSES: dict[str, type[Stored]] = {
    "semantic": Semantic, "acoustic": Acoustic, "discriminator": Discriminator,
    "content": ContentEncoder, "bert": BertFeatures, "speaker": SpeakerNet,
}  # fmt: skip
State = dict[str, torch.Tensor]


def shrink(patch: pytest.MonkeyPatch) -> None:
    """Small networks in place of the published ones: all of their parts, but other widths and depths."""
    for name, full in list(VERSIONS.items()):
        layers = ((4, 15, 1, 1), (8, 9, 2, 4))
        judge = DiscriminatorConfig(periods=full.discriminator.periods, period_widths=(4, 8), scale_layers=layers)
        small = replace(full, discriminator=judge)
        if name in ("v2", "v2Pro"):
            acoustic = replace(
                full.acoustic, content=HUBERT.hidden, codes=32, inter=8, hidden=16, filters=16, mrte=16, gin=16,
                speaker=SPEAKER.size if full.acoustic.speaker else 0, posterior_layers=2, flow_layers=1,
                decoder_options=full.acoustic.decoder_options | {"channels": 32},
            )  # fmt: skip
            semantic = replace(full.semantic, codes=32, hidden=16, heads=2, ffn=16, layers=2, bert=BERT.hidden)
            small = replace(small, semantic=semantic, acoustic=acoustic)
        patch.setitem(VERSIONS, name, small)
    for name, config in (("SPEAKER", SPEAKER), ("CONTENT", HUBERT), ("BERT", BERT)):
        patch.setattr(base_convert, name, config)
    published_shapes.cache_clear()


def filled(network: Stored, rows: Rows = ()) -> State:
    """A network's weights, made by the formula, under their published names, as float16."""
    fill_module(network, lambda key: official_name(key, rows))
    return half(to_official(network.state_dict(), rows))


def whole_bert(config: BertFeaturesConfig) -> State:
    """A language model as published: all layers, heads, positions listed."""
    model = BertForMaskedLM(replace(config, layers=config.layers + SKIPPED).bert())
    fill_module(model)
    state = half(model.state_dict()) | {"bert.embeddings.position_ids": torch.arange(config.positions)[None]}
    for name, tied in (("weight", "bert.embeddings.word_embeddings.weight"), ("bias", "cls.predictions.bias")):
        state[f"cls.predictions.decoder.{name}"] = state[tied]
    return state


def exported(weights: State, config: Any = None) -> dict[str, Any]:
    """The container of s1, s2 and discriminator files."""
    return {"weight": weights, "config": config or {}, "info": "base"}


def holder(version: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The config of an s2 file, of the class whose name the published pickles hold."""
    module = types.ModuleType("utils")
    kind = type("HParams", (), {"__module__": "utils"})
    module.__dict__["HParams"] = kind
    monkeypatch.setitem(sys.modules, "utils", module)
    made, model = kind(), kind()
    vars(model)["version"], vars(made)["model"] = version, model
    return made


def contents(version: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What each published file of a base holds, by the name of the file that it becomes."""
    sizes = VERSIONS[version]
    s2 = holder(version, monkeypatch)
    made = {
        "semantic.safetensors": exported(filled(Semantic(sizes.semantic), SEMANTIC), {"model": {"n_layer": 2}}),
        "acoustic.safetensors": exported(filled(Acoustic(sizes.acoustic), ACOUSTIC), s2),
        "discriminator.safetensors": exported(filled(Discriminator(sizes.discriminator), DISCRIMINATOR)),
        "content.safetensors": filled(ContentEncoder(base_convert.CONTENT), CONTENT_ROWS),
        "bert.safetensors": whole_bert(base_convert.BERT),
    }
    if sizes.acoustic.speaker:
        made["speaker.safetensors"] = filled(SpeakerNet(base_convert.SPEAKER))
    return made


@torch.no_grad()
def check_hubert_and_bert(content: Any, bert: Any) -> None:
    """Two converted networks of `shrink` compute what the whole published ones would."""
    whole = ContentEncoder(HUBERT).eval()
    filled(whole, CONTENT_ROWS)
    wav = torch.sin(0.05 * torch.arange(16000))[None]
    assert torch.allclose(content.features(wav)[0], whole.features(wav)[0], atol=0.02)
    language = BertForMaskedLM(replace(BERT, layers=BERT.layers + SKIPPED).bert()).eval()
    language.load_state_dict({name: t.float() for name, t in whole_bert(BERT).items()}, strict=False)
    ids = torch.tensor([[2, 9, 10, 11, 3]])
    wanted = language(input_ids=ids, output_hidden_states=True).hidden_states[-3][0, 1:-1]
    assert torch.allclose(bert.features(ids), wanted, atol=1e-5)


def write_stand_ins(root: Path) -> dict[str, Path]:
    """Version -> folder of made-up files of its base, each called as the file of ours that it becomes."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        for version in ("v2", "v2Pro"):
            made[version] = root / version
            made[version].mkdir()
            for name, content in contents(version, patch).items():
                torch.save(content, made[version] / name)
            write_tokenizer(made[version] / "bert_tokenizer.json")
    published_shapes.cache_clear()
    return made
