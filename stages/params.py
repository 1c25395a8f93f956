"""params.yaml as frozen models: an unknown key or a wrong value is one line with the key, value and rule."""

from __future__ import annotations

import difflib
import os
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
)

from voice.errors import UserError
from voice.speaking import Speaking

FAMILY = "official"  # a part of that name inside a section holds what bases `official-*` need instead
_RESERVED = {"base", "pretrained", "raw"}
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def _voice_name(name: str) -> str:
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise ValueError(f"small letters, digits, _ and - only, and none of {', '.join(sorted(_RESERVED))}")
    return name


Name = Annotated[str, AfterValidator(_voice_name)]
Unit = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]
Language = Literal["en", "zh", "ja", "ko", "yue", "auto"]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class VoiceParams(_Section):
    """One voice: its language (`auto` finds it line by line). ja, ko and yue need a published base."""

    lang: Language = "auto"


class Ingest(_Section):
    """Seconds, LUFS, dBFS, Hz; `denoise` and `dereverb` are names of `voice.recording.enhance`."""

    min_seconds: Positive
    sample_rate: Annotated[int, Field(ge=8000, le=48000, multiple_of=50)]
    loudness_lufs: Annotated[float, Field(ge=-40, le=-10)]
    peak_db: Annotated[float, Field(ge=-20, le=0)]
    denoise: Literal["none", "noisereduce"]
    dereverb: Literal["none", "wpe"]


class Slice(_Section):
    """Seconds and dB; `aggressiveness` is WebRTC's, `threshold` Silero's; see `voice.slicing.segmenter.Settings`."""

    detector: Literal["webrtc", "silero"]
    aggressiveness: Annotated[int, Field(ge=0, le=3)]
    threshold: Annotated[float, Field(ge=0.05, le=0.95)]
    min_seconds: Annotated[float, Field(ge=0.5)]
    max_seconds: Annotated[float, Field(le=30)]
    target_seconds: Positive
    min_silence: Positive
    min_speech: Positive
    pad: Annotated[float, Field(ge=0, le=1)]
    margin_db: Annotated[float, Field(ge=1, le=30)]
    range_db: Annotated[float, Field(ge=10, le=60)]
    strong_db: Annotated[float, Field(ge=5, le=60)]
    min_snr_db: Annotated[float, Field(ge=0, le=100)]
    max_clipped: Annotated[float, Field(ge=0)]


class Align(_Section):
    """Scores and shares in [0, 1], seconds; `max_holdout` caps the held-out share of the segments.

    `recogniser` is a Whisper model, by name or folder, for voices without a transcript.
    """

    aligner: Text
    recogniser: str
    min_score: Unit
    min_contrast: float
    min_weakest: Unit
    max_unexplained: Positive
    min_coverage: Unit
    min_phones_per_second: Positive
    max_phones_per_second: Positive
    holdout: Unit
    max_holdout: Unit


class Features(_Section):
    """Segments per safetensors file."""

    shard_segments: Count


class _Training(_Section):
    """Fine-tuning: `trainable` are prefixes of parameter names ("" for all), all else is frozen.

    `lora_rank` above 0 trains low-rank adapters on these parts in place of their weights.
    """

    epochs: Count
    batch_size: Count
    learning_rate: Positive
    trainable: list[str] = Field(min_length=1)
    max_steps: Count | None = None
    validate_every: Count
    schedule: Literal["cosine", "exponential"]
    lora_rank: Annotated[int, Field(ge=0, le=256)]
    seed: Seed


class TrainSemantic(_Training):
    """s1, text to semantic tokens: see `voice.train.semantic.SemanticTrainer`."""

    optimiser: Literal["adamw", "scaled_adam"]
    objective: Literal["all", "published"]
    accumulate: Count
    preference: Annotated[float, Field(ge=0, le=5)]


class TrainAcoustic(_Training):
    """s2, semantic tokens to sound: loss weights, and frames per training segment; see `AcousticTrainer`.

    `keep` is the step whose weights are the voice: the one with the lowest held-out loss, or the last. Of these
    `blend` gives the share by the start of a parameter's name; the rest is the base's. At most a share `corrupt` of
    the tokens is wrong in training.
    """

    keep: Literal["best", "last"]
    blend: dict[str, Unit]
    segment_frames: Count
    corrupt: Unit
    text_rate: Annotated[float, Field(ge=0, le=1)]
    mel: Literal["multi", "published"]
    c_mel: Annotated[float, Field(ge=0)]
    c_kl: Annotated[float, Field(ge=0)]
    c_prior: Annotated[float, Field(ge=0)]
    c_pitch: Annotated[float, Field(ge=0)]
    c_fm: Annotated[float, Field(ge=0)]
    c_adv: Annotated[float, Field(ge=0)]


class Texts(_Section):
    """Sentences by language; a voice with `lang: auto` speaks those of the language its transcript has most of."""

    en: list[Text] = Field(min_length=1)
    zh: list[Text] = Field(min_length=1)
    ja: list[Text] = []
    ko: list[Text] = []
    yue: list[Text] = []


class Evaluate(_Section):
    """How many held-out segments, at most, and which texts are spoken and measured."""

    held_out: Count
    texts: Texts
    seed: Seed


class Synthesize(_Section):
    """The listening script."""

    texts: Texts
    seed: Seed


class SpeakingParams(_Section):
    """How every text is spoken; see `voice.speaking.Speaking`."""

    noise_scale: Annotated[float, Field(ge=0, le=2)]
    length_scale: Annotated[float, Field(ge=0.3, le=3)]
    temperature: Annotated[float, Field(gt=0, le=2)]
    top_k: Count
    top_p: Annotated[float, Field(gt=0, le=1)]
    penalty: Annotated[float, Field(ge=1, le=5)]
    takes: Annotated[int, Field(ge=1, le=100)]
    auditions: Annotated[int, Field(ge=1, le=20)]
    retries: Annotated[int, Field(ge=0, le=20)]
    prompt: bool

    def settings(self) -> Speaking:
        """The same for the library."""
        return Speaking(**self.model_dump())


class Params(_Section):
    """All of params.yaml. In a DVC stage, a part that the stage does not list under `params:` is refused."""

    base: Name
    threads: Annotated[int, Field(ge=1, le=64)]
    voices: dict[Name, VoiceParams]
    speaking: SpeakingParams
    ingest: Ingest
    slice: Slice
    align: Align
    features: Features
    train_semantic: TrainSemantic
    train_acoustic: TrainAcoustic
    evaluate: Evaluate
    synthesize: Synthesize
    _listed: frozenset[str] | None = PrivateAttr(default=None)
    _varied: frozenset[str] = PrivateAttr(default=frozenset())

    def __getattribute__(self, name: str) -> Any:
        if name in _TOP and name != "voices":
            self._allow(name)
            if name in self._varied:
                self._allow("base")  # it says which values hold
        return super().__getattribute__(name)

    def voice(self, name: str) -> VoiceParams:
        """The entry of one voice. Raises UserError for an unknown name."""
        if name not in self.voices:
            near = difflib.get_close_matches(name, self.voices, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(self.voices) or 'none'}"
            raise UserError(f"params.yaml: voices: no voice {name!r}", hint)
        self._allow(f"voices.{name}")
        return self.voices[name]

    def _allow(self, key: str) -> None:
        listed = self._listed
        if listed is not None and not any(part == key or part.startswith(f"{key}.") for part in listed):
            stage = os.environ["DVC_STAGE"]
            raise UserError(f"dvc.yaml: {stage}: reads {key} of params.yaml but does not list it under params")


_TOP = frozenset(Params.model_fields)


def project_root(start: Path | None = None) -> Path:
    """The nearest folder upward of `start` (default: current) that holds dvc.yaml. Raises UserError."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "dvc.yaml").is_file():
            return folder
    raise UserError(f"{here}: no dvc.yaml here or above", "run inside a reprovoice project")


def load_params(root: Path | None = None, base: str | None = None) -> Params:
    """Read and check params.yaml of the project at `root`. Raises UserError, one line, for a fault in it.

    A section may hold a part `official` with the values that bases of that family need instead; those of the base in
    use hold, and both sets are checked. `base` reads the file as if it named that one.
    """
    root = root or project_root()
    path = root / "params.yaml"
    if not path.is_file():
        raise UserError(f"{path}: missing", "restore it from Git")
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"params.yaml: not YAML: {' '.join(str(error).split())}") from error
    plain, official, varied = _families(raw)
    if base is not None:
        plain, official = {**plain, "base": base}, {**official, "base": base}
    params, other = _validate(plain), _validate(official, varied)
    if params.base.startswith(f"{FAMILY}-"):
        params = other
    params._varied = varied
    if address := os.environ.get("DVC_STAGE"):
        params._listed = _listed(root, address)
    return params


def _families(raw: Any) -> tuple[Any, Any, frozenset[str]]:
    """params.yaml without its `official` parts, with them in force, and the sections that have one."""
    if not isinstance(raw, dict):
        return raw, raw, frozenset()
    plain, official = dict(raw), dict(raw)
    varied = set()
    for name, section in raw.items():
        if not isinstance(section, dict) or FAMILY not in section or name == "voices":
            continue
        change = section[FAMILY]
        if not isinstance(change, dict):
            raise UserError(f"params.yaml: {name}.{FAMILY} = {change!r}: should be keys of {name} with their values")
        varied.add(name)
        plain[name] = {key: value for key, value in section.items() if key != FAMILY}
        official[name] = plain[name] | change
    return plain, official, frozenset(varied)


def _validate(raw: Any, varied: frozenset[str] = frozenset()) -> Params:
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        raise _explain(error, varied) from error


def _explain(error: ValidationError, varied: frozenset[str]) -> UserError:
    """The first fault as `params.yaml: key = value: rule`, with how many more there are.

    The plain values were checked before, so a fault in a section of `varied` lies in its part for official bases.
    """
    faults = error.errors(include_url=False)
    fault = next((f for f in faults if f["type"] == "extra_forbidden"), faults[0])
    loc = [str(part) for part in fault["loc"] if part != "[key]"]
    key = ".".join([loc[0], FAMILY, *loc[1:]] if loc[0] in varied else loc)
    hint = ""
    if fault["type"] == "extra_forbidden":
        known = _fields(loc[:-1])
        near = difflib.get_close_matches(loc[-1], known, n=1, cutoff=0.5)
        message = f"params.yaml: {key}: unknown key"
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
    elif fault["type"] == "missing":
        message = f"params.yaml: {key}: missing"
    else:
        rule = fault["msg"].removeprefix("Value error, ").removeprefix("Input ")
        message = f"params.yaml: {key} = {fault['input']!r}: {rule}"
        if fault["type"] == "float_type" and isinstance(fault["input"], str):
            hint = "YAML reads 1e-4 as text: write 1.0e-4"
    more = f"; and {len(faults) - 1} more" if len(faults) > 1 else ""
    return UserError(message + more, hint)


def _fields(loc: list[str]) -> list[str]:
    """Key names of the model at a place in Params."""
    model: Any = Params
    for part in loc:
        kind = VoiceParams if model is VoiceParams or part == "voices" else model.model_fields[part].annotation
        model = kind
    return list(model.model_fields)


@cache
def _listed(root: Path, address: str) -> frozenset[str]:
    """What a stage lists under `params:` in dvc.yaml; `address` is DVC's name of it, as slice@alice."""
    stage, _, key = address.rpartition(":")[2].partition("@")
    entry = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"][stage]
    return frozenset(str(item).replace("${key}", key) for item in entry.get("do", entry).get("params", []))
