"""A voice on small networks of the published kind: BERT, speaker embedding, prompt, and how it is told to speak."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.official_stand_ins import BERT, HUBERT, SPEAKER, filled, shrink
from tests.voice.nets.test_bert import write_tokenizer
from voice.audio import write_flac
from voice.errors import UserError
from voice.guard import Verdict
from voice.nets.acoustic import Acoustic
from voice.nets.bert import BertFeatures
from voice.nets.hubert import ContentEncoder
from voice.nets.official import VERSIONS
from voice.nets.semantic import Semantic
from voice.nets.speaker import SpeakerNet
from voice.reference import readable
from voice.speaking import Speaking
from voice.synthesis import Voice
from voice.text import read_text

MIXED = "Please read this 请再说一遍 for me."
HOW = Speaking(noise_scale=0.0, top_k=1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("base")
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        sizes = VERSIONS["v2Pro"]
        networks = {
            "semantic": Semantic(sizes.semantic), "acoustic": Acoustic(sizes.acoustic),
            "content": ContentEncoder(HUBERT), "bert": BertFeatures(BERT), "speaker": SpeakerNet(SPEAKER),
        }  # fmt: skip
        for name, network in networks.items():
            filled(network)
            network.save(folder / f"{name}.safetensors")
        write_tokenizer(folder / "bert_tokenizer.json")
        yield folder


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder, time = tmp_path_factory.mktemp("clips"), np.arange(3 * 32000) / 32000
    made = []
    for number, pitch in enumerate((110.0, 230.0)):
        wave = 0.3 * np.sign(np.sin(2 * np.pi * pitch * time)) * (1 + np.sin(6 * np.pi * time))
        made.append(folder / f"{number}.flac")
        write_flac(made[-1], (0.5 * wave).astype(np.float32), 32000)
    return made


@pytest.fixture
def voice(base: Path) -> Voice:
    return Voice.load(base, base, threads=1, speaking=HOW)


def test_what_decides_the_sound_is_listed(voice: Voice, base: Path) -> None:
    parts = {"semantic", "acoustic", "content", "bert", "bert_tokenizer", "speaker", "speaking"}
    assert set(voice.info) == parts and voice.info["speaking"]["top_k"] == 1
    other = Voice.load(base, base, threads=1, speaking=Speaking(noise_scale=0.1, top_k=1))
    assert other.info != voice.info


def test_a_mixed_line_is_spoken_with_bert_and_speaker_embedding(voice: Voice, clips: list[Path]) -> None:
    speech = voice.say(MIXED, ref=clips[0], ref_text="请再说一遍", seed=1)
    assert speech.sample_rate == 32000 and len(speech.audio) == round(speech.seconds * 32000) > 0
    assert np.isfinite(speech.audio).all() and np.abs(speech.audio).max() <= 1
    again = voice.say(MIXED, ref=clips[0], ref_text="请再说一遍", seed=1)
    assert np.array_equal(speech.audio, again.audio)


def test_bert_reaches_s1_for_chinese_alone(voice: Voice, clips: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    given_bert: list[torch.Tensor | None] = []
    true = Semantic.generate

    def watch(self: Semantic, phones, prompt, sampling, dice, bert=None, steps=1500):  # type: ignore[no-untyped-def]
        given_bert.append(bert)
        return true(self, phones, prompt, sampling, dice, bert, steps)

    monkeypatch.setattr(Semantic, "generate", watch)
    voice.say("Good evening.", ref=clips[0], ref_text="Hello there.", seed=1)
    voice.say("Good evening.", ref=clips[0], ref_text="请再说一遍", seed=1)
    voice.say("请再说一遍", ref=clips[0], ref_text="请再说一遍", seed=1, prompt=False)
    assert given_bert[0] is None
    told, phones = given_bert[1], len(readable("请再说一遍", "auto").ids)
    assert told is not None and len(told) == phones + len(readable("Good evening.", "auto").ids)
    assert bool((told[:phones] != 0).any()) and not bool(told[phones:].any())
    assert given_bert[2] is not None and len(given_bert[2]) == phones


def test_references_are_averaged_and_timbre_needs_no_transcript(voice: Voice, clips: list[Path]) -> None:
    first, second = (voice.references.clip(clip, "") for clip in clips)
    assert len(first.tokens) == len(first.phones) == 0 and not torch.allclose(first.condition, second.condition)
    seen: list[torch.Tensor] = []
    true = voice.acoustic.decode

    def watch(codes, phones, ge, *rest):  # type: ignore[no-untyped-def]
        seen.append(ge)
        return true(codes, phones, ge, *rest)

    voice.acoustic.decode = watch  # type: ignore[method-assign]
    voice.say("Good evening.", ref=clips[0], also_like=[clips[1]], seed=1)
    assert torch.allclose(seen[0], (first.condition + second.condition) / 2)


def test_silence_follows_a_reference_before_its_tokens_are_taken(voice: Voice, clips: list[Path]) -> None:
    tokens = voice.references.clip(clips[0], "Hello there.").tokens
    assert len(tokens) == (3 * 16000 + 9600 - 80) // 320 // 2  # 3 s and 0.6 s, whole windows, 25 tokens a second


def test_a_rate_is_kept_and_a_call_may_change_how_it_speaks(voice: Voice, clips: list[Path]) -> None:
    plain = voice.say("Good evening.", ref=clips[0], seed=1)
    high = voice.say("Good evening.", ref=clips[0], seed=1, rate=48000)
    assert high.sample_rate == 48000 and len(high.audio) == pytest.approx(1.5 * len(plain.audio), abs=2)
    slow = voice.say("Good evening.", ref=clips[0], seed=1, length_scale=2.0)
    assert slow.seconds == pytest.approx(2 * plain.seconds, rel=0.05)
    same = voice.say("Good evening.", ref=clips[0], seed=1, noise_scale=None, length_scale=None)
    assert np.array_equal(same.audio, plain.audio)
    for change in ({"noise_scale": -1.0}, {"takes": 0}, {"rate": 10}, {"temperature": float("nan")}):
        with pytest.raises(UserError, match="out of range"):
            voice.say("Good evening.", ref=clips[0], **change)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="no reference clip"):
        voice.say("Good evening.")


def test_an_ending_mark_is_added_once() -> None:
    assert readable("Good evening", "auto").phones == read_text("Good evening.").phones
    assert readable("晚上好", "auto").phones == read_text("晚上好。").phones
    assert readable("Good evening?", "auto").phones == read_text("Good evening?").phones
    with pytest.raises(UserError, match="nothing to read"):
        readable(" ... ", "auto")


@given(st.sampled_from([f.name for f in fields(Speaking) if f.name != "prompt"]), st.floats(-1e6, 1e6))
def test_every_control_has_a_range(name: str, value: float) -> None:
    wide = {"noise_scale": (0, 2), "length_scale": (0.3, 3), "temperature": (0.01, 2), "top_k": (1, 1e5),
            "top_p": (0.01, 1), "penalty": (1, 5), "takes": (1, 100), "auditions": (1, 20),
            "retries": (0, 20)}  # fmt: skip
    low, high = wide[name]
    if low <= value <= high:
        assert getattr(Speaking(**{name: value}), name) == value  # type: ignore[arg-type]
    else:
        with pytest.raises(UserError, match=f"{name} .*out of range"):
            Speaking(**{name: value})  # type: ignore[arg-type]


class Ear:
    """Stands in for the guard: tells prepared verdicts, then that all is well."""

    def __init__(self, *verdicts: Verdict) -> None:
        self.verdicts, self.heard = list(verdicts), 0

    def hear(self, audio: np.ndarray, rate: int, phones: Sequence[str], ended: bool = True) -> Verdict:
        self.heard += 1
        return self.verdicts.pop(0) if self.verdicts else Verdict((), 0.0, 0.0)


def test_a_take_with_a_problem_is_spoken_again_and_the_best_is_kept(voice: Voice, clips: list[Path]) -> None:
    skipped, garbled = (
        Verdict(("4 sounds together left out",), 0.5, 0.5),
        Verdict(("5 sounds together left out",), 0.6, 0.6),
    )
    ears = {0: Ear(), 1: Ear(skipped), 2: Ear(skipped, garbled, garbled)}
    said = {}
    for number, ear in ears.items():
        voice.guard = ear  # type: ignore[assignment]
        said[number] = voice.say("again", lang="en", ref=clips[0], seed=1, temperature=5.0 / 4, top_k=50, retries=2)
    assert [ear.heard for ear in ears.values()] == [1, 2, 3]
    assert not np.array_equal(said[0].audio, said[1].audio)  # the second attempt of the same call
    assert np.array_equal(said[0].audio, said[2].audio)  # the first of three was the best
    assert skipped.problems[0] in said[2].warnings and skipped.problems[0] not in said[1].warnings
    voice.guard = ear = Ear(skipped)  # type: ignore[assignment]
    voice.say("again", lang="en", ref=clips[0], seed=1, retries=0)
    assert ear.heard == 1


def test_of_several_auditions_the_best_heard_is_kept(voice: Voice, clips: list[Path]) -> None:
    nats = {"first": [0.5, 0.7, 0.9], "second": [0.5, 0.2, 0.3], "third": [0.5, 0.4, 0.1]}
    said = {}
    for name, each in nats.items():
        voice.guard = ear = Ear(*(Verdict((), 0.1, one) for one in each))  # type: ignore[assignment]
        said[name] = voice.say("again", lang="en", ref=clips[0], seed=1, temperature=5.0 / 4, top_k=50, auditions=3)
        assert ear.heard == 3
    voice.guard = Ear()  # type: ignore[assignment]
    once = voice.say("again", lang="en", ref=clips[0], seed=1, temperature=5.0 / 4, top_k=50)
    assert np.array_equal(said["first"].audio, once.audio)
    assert len({speech.audio.tobytes() for speech in said.values()}) == 3
    problem = Verdict(("4 sounds together left out",), 0.5, 0.1)
    voice.guard = ear = Ear(problem, Verdict((), 0.1, 2.0), Verdict((), 0.1, 3.0))  # type: ignore[assignment]
    assert not voice.say("again", lang="en", ref=clips[0], seed=1, auditions=2, retries=2).warnings
    assert ear.heard == 2  # no more once one without problems is there


def test_the_aligner_of_the_base_is_the_ear(base: Path, tmp_path: Path) -> None:
    assert Voice.load(base, base).guard is None
    for file in base.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "aligner.safetensors").write_bytes((base / "content.safetensors").read_bytes())
    loaded = Voice.load(tmp_path, tmp_path)
    assert loaded.guard is not None and "aligner" in loaded.info
