"""Exported graphs: what they say is what the networks say, and a failure leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from torch import nn

from pipeline.cli_export_graphs import export_graphs
from tests.first_party import ROOT
from voice.errors import UserError
from voice.export import Graph, acoustic_graphs, all_graphs, semantic_graphs
from voice.export.graphs import Decode, bridge
from voice.export.onnx import ONNX, PACKAGES
from voice.export.program import LIMIT, PROGRAM, Form, Run, deliver
from voice.files import sha256_file
from voice.nets.acoustic import Acoustic, AcousticConfig
from voice.nets.envelope import EnvelopeDecoder
from voice.nets.harmonics import bridge as bridge_of_decoder
from voice.nets.sampling import Sampling, pick
from voice.nets.semantic import Semantic, SemanticConfig

GREEDY = Sampling(top_k=1)
FORMS = {"onnx": ONNX, "torch": PROGRAM}
NAMES = ("s1_prefill", "s1_step", "s2_reference", "s2_decode")
PLAIN = SemanticConfig(phones=40, codes=20, hidden=16, heads=2, ffn=24, layers=2)
SMALL = AcousticConfig(
    sample_rate=400, n_fft=32, hop=8, win=32, content=16, codes=20, phones=40, inter=8, hidden=16, filters=24,
    layers_ssl=1, layers_text=1, layers_joint=1, mrte=16, posterior=False, flow_layers=1, flows=1, gin=12,
    reference_bins=12, reference_hidden=16, decoder="istft",
    decoder_options={"channels": 16, "blocks": [1, 1], "n_fft": 32},
)  # fmt: skip
HIFIGAN = {"channels": 16, "rates": [4, 2], "kernels": [8, 4], "block_kernels": [3], "block_dilations": [1, 3]}
ENVELOPE = {"channels": 16, "blocks": 1, "n_fft": 32, "mels": 5}
# As the published networks are built, and as the mini base is; the latter without what the former has tried already.
SIZES = {
    "published": (replace(PLAIN, bert=6), replace(SMALL, decoder="hifigan", decoder_options=HIFIGAN, speaker=5)),
    "mini": (PLAIN, replace(SMALL, layers_text=0, layers_joint=0, decoder="envelope", decoder_options=ENVELOPE)),
}


def dice(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def networks(kind: str) -> tuple[Semantic, Acoustic]:
    torch.manual_seed(0)
    semantic_config, acoustic_config = SIZES[kind]
    semantic, acoustic = Semantic(semantic_config).eval(), Acoustic(acoustic_config).eval()
    for name, value in acoustic.named_parameters():
        # These start at zero or so small that the flow would be trivial and the output would hardly tell.
        if (name.startswith("flow") and ".post." in name) or (name.startswith("dec.ups") and "original1" in name):
            nn.init.normal_(value, 0, 0.3)
    return semantic, as_fitted(acoustic)


def as_fitted(acoustic: Acoustic) -> Acoustic:
    """An untrained decoder of the kind `envelope` with a head that does something, at about the level of speech."""
    if isinstance(acoustic.dec, EnvelopeDecoder):
        nn.init.normal_(acoustic.dec.head.weight, 0, 0.1)
        acoustic.dec.code.mean[0] = -10.0
    return acoustic


def decode_graph(decoder: str) -> Graph:
    torch.manual_seed(1)
    options = ENVELOPE if decoder == "envelope" else SMALL.decoder_options
    config = replace(SMALL, layers_text=0, layers_joint=0, decoder=decoder, decoder_options=options)
    return acoustic_graphs(as_fitted(Acoustic(config).eval()))[-1]


@dataclass(frozen=True)
class Made:
    semantic: Semantic
    acoustic: Acoustic
    source: Path
    out: Path
    form: Literal["onnx", "torch"]
    report: dict[str, Any]

    def run(self, name: str) -> Run:
        form = FORMS[self.form]
        return form.load(self.out / f"{name}{form.suffix}")


@pytest.fixture(scope="module", params=[("published", "onnx"), ("published", "torch"), ("mini", "onnx")], ids="-".join)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    kind, form = request.param
    source = tmp_path_factory.mktemp("source")
    for network in networks(kind):
        network.save(source / f"{network.kind}.safetensors")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    report = export_graphs(source, source / "new" / "out", form)
    semantic, acoustic = Semantic.load(source / "semantic.safetensors"), Acoustic.load(source / "acoustic.safetensors")
    yield Made(semantic, acoustic, source, source / "new" / "out", form, report)
    torch.set_num_threads(threads)


def test_every_file_has_a_sidecar_that_describes_it(made: Made) -> None:
    suffix = FORMS[made.form].suffix
    assert {path.name for path in made.out.iterdir()} == {f"{n}{suffix}{end}" for n in NAMES for end in ("", ".json")}
    assert [path.name for path in made.out.parent.iterdir()] == ["out"], "a temporary folder is left"
    assert json.loads(json.dumps(made.report)) == made.report
    assert made.report["max_abs_difference"] <= LIMIT
    for name, told in zip(NAMES, made.report["files"], strict=True):
        file = made.out / f"{name}{suffix}"
        sidecar = json.loads((made.out / f"{file.name}.json").read_text())
        assert told == sidecar | {"export_s": told["export_s"], "load_s": told["load_s"]}
        assert (sidecar["sha256"], sidecar["bytes"]) == (sha256_file(file), file.stat().st_size)
        network = "semantic" if name.startswith("s1") else "acoustic"
        assert sidecar["weights_sha256"] == sha256_file(made.source / f"{network}.safetensors")
        assert (sidecar["sample_rate"], "opset" in sidecar) == (400, made.form == "onnx")
        assert sum(check["lengths"] != sidecar["traced"] for check in sidecar["checks"]) >= 2


def test_the_graphs_of_the_mini_base_take_what_they_always_took() -> None:
    """The envelope decoder has no use for the condition, which prior and flow need all the same."""
    graph = acoustic_graphs(networks("mini")[1])[-1]
    assert [port.name for port in graph.inputs] == ["codes", "phones", "ge", "noise", "breath"]
    assert [port.name for port in graph.outputs] == ["audio", "f0"]
    assert [port.shape for port in graph.outputs] == [(1, 1, "16*n"), (1, "4*n")]
    codes, phones, ge, *noise = graph.case({"n": 6, "P": 5})[0]
    with torch.no_grad():
        assert not torch.equal(graph.module(codes, phones, ge, *noise)[0], graph.module(codes, phones, -ge, *noise)[0])


@torch.no_grad()
@pytest.mark.parametrize("name", ["harmonic", "envelope"])
def test_a_wrong_pitch_or_a_wrong_sound_at_the_right_pitch_is_noticed(name: str) -> None:
    graph = decode_graph(name)
    inputs, measure = graph.case({"n": 40, "P": 9})
    audio, f0 = graph.module(*inputs)
    assert (f0 > 0).any()
    assert measure([audio, f0 * 2 ** (1 / 12)])["f0"] == pytest.approx(1 / 12, abs=1e-3)
    assert measure([audio, 0 * f0])["f0"] > 1
    assert measure([audio + 0.01, f0])["audio"] == pytest.approx(0.01, abs=1e-5)


def test_onnx_inputs_and_outputs_are_those_of_the_sidecar(made: Made) -> None:
    if made.form != "onnx":
        pytest.skip("torch.export files have no names")
    import onnxruntime

    types = {"tensor(int64)": "int64", "tensor(float)": "float32"}
    for about in made.report["files"]:
        session = onnxruntime.InferenceSession(made.out / about["file"])
        found = [(port.name, port.shape, types[port.type]) for port in session.get_inputs()]
        assert found == [(port["name"], port["shape"], port["dtype"]) for port in about["inputs"]]
        assert [port.name for port in session.get_outputs()] == [port["name"] for port in about["outputs"]]


@pytest.mark.parametrize("before", [0, 5])
def test_prefill_and_step_say_the_tokens_that_the_network_says(made: Made, before: int) -> None:
    bert = [torch.randn(1, 17, 6, generator=dice())] if made.semantic.config.bert else []
    phones, prompt = torch.randint(40, (1, 17), generator=dice()), torch.randint(20, (1, before), generator=dice())
    take = made.semantic.generate(phones[0], prompt[0], GREEDY, dice(), bert[0][0] if bert else None, max_steps=40)
    step = made.run("s1_step")
    logits, cache = made.run("s1_prefill")([phones, prompt, *bert])
    history, stop = prompt[0].tolist(), "max_steps"
    for number in range(40):
        token, ended = pick(logits[0], history, number, made.semantic.config.eos, GREEDY, dice())
        if ended:
            stop = "eos"
            break
        history.append(token)
        logits, cache = step([torch.tensor([[token]]), torch.tensor([len(history) - 1]), cache])
    assert len(history) > before + 10
    assert (history[before:], stop) == (take.tokens.tolist(), take.stop)


@torch.no_grad()
def test_reference_and_decode_sound_as_the_network_at_other_lengths(made: Made) -> None:
    c, reference, decode = made.acoustic.config, made.run("s2_reference"), made.run("s2_decode")
    spec = torch.rand(1, c.bins, 61, generator=dice())
    speaker = [torch.randn(1, c.speaker, generator=dice())] if c.speaker else []
    ge = made.acoustic.reference(spec, None, *speaker)
    assert torch.allclose(reference([spec, *speaker])[0], ge, atol=1e-5)
    for n, count in ((2, 31), (17, 2), (70, 50)):
        codes, phones = torch.randint(20, (1, n), generator=dice()), torch.randint(40, (1, count), generator=dice())
        expected = made.acoustic.decode(codes, phones, ge, 0.7, generator=dice(3))
        assert expected.abs().max() > 0.01
        breath = [torch.randn(1, expected.shape[-1], generator=dice())] if c.decoder == "envelope" else []
        noise = torch.randn(1, c.inter, 2 * n, generator=dice(3)) * 0.7
        audio = decode([codes, phones, ge, noise, *breath])[0]
        assert audio.shape == (1, 1, 2 * n * c.hop)
        assert torch.allclose(audio, expected, atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("name", ["istft", "harmonic", "envelope"])
def test_the_graph_of_a_decoder_is_the_decoder(name: str) -> None:
    graph = decode_graph(name)
    inputs, measure = graph.case({"n": 40, "P": 9})
    found = graph.module(*inputs)
    assert max(measure([found] if isinstance(found, torch.Tensor) else found).values()) < 1e-5


@pytest.mark.parametrize(("name", "form"), [("harmonic", "onnx"), ("harmonic", "torch"), ("envelope", "torch")])
def test_a_decoder_with_a_pitch_of_its_own_is_its_file(name: str, form: str, tmp_path: Path) -> None:
    """What the fixture above does not make: voices of earlier bases hold the decoder `harmonic`."""
    (told,) = deliver([decode_graph(name)], tmp_path / "out", FORMS[form], {"acoustic": "0"})
    assert told["decoder"] == name and set(told["checks"][0]["difference"]) == {"audio", "f0", "audio_at_own_f0"}
    assert told["max_abs_difference"] < 1e-4


@torch.no_grad()
def test_folding_leaves_the_network_as_it_was() -> None:
    acoustic = networks("published")[1]
    names = list(acoustic.state_dict())
    inputs = (torch.zeros(1, 5, dtype=torch.long), torch.zeros(1, 4, dtype=torch.long), torch.ones(1, 12, 1), 0.0)
    before = acoustic.decode(*inputs)
    decode = Decode(acoustic)
    assert list(acoustic.state_dict()) == names
    assert torch.equal(acoustic.decode(*inputs), before)
    assert not any("parametrizations" in name for name in decode.state_dict())


@pytest.mark.parametrize("seed", range(4))
def test_gaps_are_bridged_as_the_decoder_does(seed: int) -> None:
    voiced = torch.rand(1, 300, generator=dice(seed + 9)) < (0.0, 0.01, 0.1, 0.9)[seed]
    f0 = (torch.rand(1, 300, generator=dice(seed)) + 100) * voiced
    assert torch.equal(bridge(f0), bridge_of_decoder(f0))


def test_an_unknown_decoder_is_named() -> None:
    semantic, acoustic = networks("mini")
    acoustic.dec, acoustic.config = nn.Identity(), replace(acoustic.config, decoder="wonder")
    with pytest.raises(UserError, match="'wonder'"):
        all_graphs(semantic, acoustic)


@pytest.mark.parametrize("wrong", [2 * LIMIT, float("nan")])
def test_a_file_that_differs_is_refused_and_none_is_left(tmp_path: Path, wrong: float) -> None:
    """The second graph's file is wrong: neither it nor the first remains, and an older file is not touched."""
    graphs, out = semantic_graphs(networks("mini")[0]), tmp_path / "out"
    modules = {f"{graph.name}.bin": graph.module for graph in graphs}

    def load(path: Path) -> Run:
        error = wrong if path.name.startswith("s1_step") else 0.0
        return lambda inputs: [tensor + error for tensor in modules[path.name](*inputs)]

    def write(_: object, path: Path) -> dict[str, Any]:
        path.write_bytes(b"new")
        return {}

    form = Form(".bin", write, load)
    with pytest.raises(UserError, match="s1_step.bin: differs from the network at T 11: logits"):
        deliver(graphs, out, form, {"semantic": "0"})
    assert list(tmp_path.iterdir()) == []
    out.mkdir()
    (out / "s1_prefill.bin").write_bytes(b"old")
    with pytest.raises(UserError):
        deliver(graphs, out, form, {"semantic": "0"})
    assert [(path.name, path.read_bytes()) for path in out.iterdir()] == [("s1_prefill.bin", b"old")]
    with pytest.raises(UserError, match="is a file"):
        deliver(graphs, out / "s1_prefill.bin", form, {"semantic": "0"})


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="semantic.safetensors"):
        export_graphs(tmp_path, tmp_path / "out", "torch")
    with pytest.raises(UserError, match="choose onnx or torch"):
        export_graphs(tmp_path, tmp_path / "out", "tflite")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", PACKAGES)
def test_a_missing_package_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError, match=f"need {name} .pip install 'reprovoice.export.'"):
        export_graphs(tmp_path, tmp_path / "out", "onnx")
    with pytest.raises(UserError, match=name):
        ONNX.load(tmp_path / "none.onnx")
    assert list(tmp_path.iterdir()) == []


def test_the_graphs_need_no_extra() -> None:
    block = "".join(f"sys.modules[{name!r}] = None; " for name in PACKAGES)
    code = f"import sys; {block}import voice.export.graphs, voice.export.program, voice.export.onnx"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["onnx", "torch"])
def test_the_mini_base_can_be_exported(tmp_path: Path, form: Literal["onnx", "torch"]) -> None:
    report = export_graphs(ROOT / "models" / "base" / "mini", tmp_path, form)
    assert report["max_abs_difference"] < 1e-4
