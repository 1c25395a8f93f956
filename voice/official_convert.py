"""Published pairs of files to our networks and back (specification 1.5, 2.1, 3.1).

Our files hold float16, as the published ones do: a pair of float16 goes through unchanged, bit for bit. What we write
is what GPT-SoVITS itself loads: its names, its config with the holder class it expects, its header bytes; but no
`enc_q`, as in its own exports, and no path of anyone's machine. Equal weights give equal bytes.
"""

from __future__ import annotations

import io
import re
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from voice.errors import UserError
from voice.files import write_bytes
from voice.nets.acoustic import Acoustic
from voice.nets.official import VERSIONS
from voice.nets.official_names import ACOUSTIC, SEMANTIC, from_official, to_official
from voice.nets.semantic import Semantic
from voice.official_archive import HOLDER, show
from voice.official_files import V3, OfficialFile, read_official

MAX_SECONDS = 54  # of one utterance, for s1 (specification 2.4)
_MARKS = {"v2Pro": "05", "v2ProPlus": "06"}  # the first two bytes of an s2 export; those of the others stay
_LOCK = threading.Lock()  # the module that the config is pickled from is there for one thread at a time
_NAME = r"[^\W_.-][\w.-]*"
_MATCH = "give the two files of one voice"


def to_networks(semantic: OfficialFile, acoustic: OfficialFile) -> tuple[Semantic, Acoustic]:
    """Our networks, float32 in evaluation mode, with the values of a pair of files rounded to float16.

    The acoustic one is without posterior where the file has no `enc_q`. Raises UserError when a file is of another
    kind, the two are of different versions, the config asks for another computation, a value is beyond float16, or
    the version is v3 or v4.
    """
    for file, kind in ((semantic, "semantic"), (acoustic, "acoustic")):
        if file.kind != kind:
            raise UserError(f"{file.path}: kind is {file.kind}, expected {kind}", "s1 is .ckpt, s2 is .pth")
    if acoustic.versions[0] in V3:
        raise UserError(
            f"{acoustic.path}: {acoustic.version}: its generator loads by voice.nets.acoustic_v3, "
            "but a voice of it can neither be trained nor speak here yet",
            f"import one of {', '.join(VERSIONS)}",
        )
    version = acoustic.versions[0]
    if version not in semantic.versions:
        fits = " or ".join(semantic.versions)
        raise UserError(f"{semantic.path}: of {fits}, but {acoustic.path} is of {version}", _MATCH)
    for file in (semantic, acoustic):
        _check_config(file, version)
    sizes = VERSIONS[version]
    with torch.device("meta"):  # the weights are put in below: no memory and no random numbers for others
        s1 = Semantic(sizes.semantic)
        s2 = Acoustic(replace(sizes.acoustic, posterior=acoustic.has_posterior))
    for network, file, rows in ((s1, semantic, SEMANTIC), (s2, acoustic, ACOUSTIC)):
        state = {key: _rounded(file.path, key, tensor).float() for key, tensor in file.weights.items()}
        network.load_state_dict(from_official(state, network.state_dict(), rows), assign=True)
    return s1.eval(), s2.eval()


def rounding(file: OfficialFile) -> float:
    """The largest change of a value by float16: 0.0 for float16 files. Raises UserError on values beyond float16."""
    changes = [
        (tensor.float() - _rounded(file.path, key, tensor).float()).abs().max().item()
        for key, tensor in file.weights.items()
        if tensor.dtype != torch.float16
    ]
    return max(changes, default=0.0)


def find_version(semantic: Semantic, acoustic: Acoustic) -> str | None:
    """The published version whose sizes both networks have, or None; dropout and posterior make no difference."""
    s1, s2 = semantic.config, acoustic.config
    for name, version in VERSIONS.items():
        same = s2 == replace(version.acoustic, dropout=s2.dropout, posterior=s2.posterior)
        if same and s1 == replace(version.semantic, dropout=s1.dropout):
            return name
    return None


def write_official(
    semantic: Semantic, acoustic: Acoustic, version: str, folder: Path, name: str,
    *, semantic_epoch: int = 0, epoch: int = 0, step: int = 0,
) -> tuple[Path, Path]:  # fmt: skip
    """Write `{name}-e{semantic_epoch}.ckpt` and `{name}_e{epoch}_s{step}.pth` to `folder`; returns their paths.

    The weights are rounded to float16. Each file is written whole or not at all, then read back. Raises UserError when
    the networks are not of `version`, on a name that is no bare file name, on values beyond float16, and when what is
    read back differs; nothing is left then.
    """
    if find_version(semantic, acoustic) != version:
        raise UserError(f"{name}: its sizes are not those of the published {version}")
    if not re.fullmatch(_NAME, name):
        raise UserError(f"{name}: no name for a file", "use letters, digits, _, - and ., the first a letter or digit")
    s1, s2 = folder / f"{name}-e{semantic_epoch}.ckpt", folder / f"{name}_e{epoch}_s{step}.pth"
    s1_weights = _stored(s1, to_official(semantic.state_dict(), SEMANTIC))
    s2_weights = _stored(s2, to_official(acoustic.state_dict(), ACOUSTIC))
    _write(s1, {"weight": s1_weights, "config": _semantic_config(version), "info": f"GPT-e{semantic_epoch}"})
    config = _acoustic_config(version) | {"version": version, "name": name}
    content = OrderedDict(weight=s2_weights, config=config, info=f"{epoch}epoch_{step}iteration")
    _write(s2, content, _MARKS.get(version, "PK"), held=True)
    try:
        for path, weights in ((s1, s1_weights), (s2, s2_weights)):
            _compare(path, weights, version)
    except UserError:
        for path in (s1, s2):
            path.unlink(missing_ok=True)
        raise
    return s1, s2


def published_config(kind: str, version: str) -> dict[str, dict[str, Any]]:
    """What a config says of a network's sizes and signals, by section; `kind` is "semantic" or "acoustic"."""
    s1, s2 = VERSIONS[version].semantic, VERSIONS[version].acoustic
    if kind == "semantic":
        return {
            "model": {
                "vocab_size": s1.codes + 1, "phoneme_vocab_size": s1.phones, "embedding_dim": s1.hidden,
                "hidden_dim": s1.hidden, "head": s1.heads, "linear_units": s1.ffn, "n_layer": s1.layers, "EOS": s1.eos,
            }
        }  # fmt: skip
    decoder = s2.decoder_options
    return {
        "data": {
            "sampling_rate": s2.sample_rate, "filter_length": s2.n_fft, "hop_length": s2.hop, "win_length": s2.win,
            "n_mel_channels": s2.mels, "mel_fmin": 0.0, "mel_fmax": None, "max_wav_value": 32768.0,
        },
        "model": {
            "inter_channels": s2.inter, "hidden_channels": s2.hidden, "filter_channels": s2.filters,
            "n_heads": s2.heads, "n_layers": s2.layers_text, "kernel_size": s2.kernel, "gin_channels": s2.gin,
            "resblock": "1", "resblock_kernel_sizes": [3, 7, 11], "resblock_dilation_sizes": [[1, 3, 5]] * 3,
            "upsample_rates": decoder["rates"], "upsample_kernel_sizes": decoder["kernels"],
            "upsample_initial_channel": decoder["channels"], "semantic_frame_rate": "25hz",
        },
    }  # fmt: skip


def _semantic_config(version: str) -> dict[str, Any]:
    config = published_config("semantic", version)
    config["model"] |= {"dropout": 0}
    return config | {"data": {"max_sec": MAX_SECONDS}, "inference": {"top_k": 5 if version == "v1" else 15}}


def _acoustic_config(version: str) -> dict[str, Any]:
    config = published_config("acoustic", version)
    config["data"] |= {"n_speakers": 300}
    config["model"] |= {
        "p_dropout": VERSIONS[version].acoustic.dropout, "use_spectral_norm": False, "n_layers_q": 3,
        "freeze_quantizer": True, "version": version,
    }  # fmt: skip
    train = {
        "segment_size": 20480, "learning_rate": 1e-4, "betas": [0.8, 0.99], "eps": 1e-9, "lr_decay": 0.999875,
        "batch_size": 32, "fp16_run": True, "c_mel": 45, "c_kl": 1.0, "text_low_lr_rate": 0.4, "seed": 1234,
        "log_interval": 100,
    }  # fmt: skip
    return config | {"train": train}


def _check_config(file: OfficialFile, version: str) -> None:
    """Refuse a config that asks for a computation other than ours where tensors do not show it, as another rate."""
    for section, wanted in published_config(file.kind, version).items():
        stated = file.config.get(section)
        for key, value in wanted.items():
            if isinstance(stated, dict) and stated.get(key, value) != value:
                raise UserError(
                    f"{file.path}: config {section}.{key} is {show(stated[key])}, {version} has {value}",
                    "no published version computes that",
                )


def _rounded(path: Path, key: str, tensor: torch.Tensor) -> torch.Tensor:
    rounded = tensor.detach().cpu().half()
    if rounded.numel() and not torch.isfinite(torch.stack(torch.aminmax(rounded))).all():
        raise UserError(f"{path}: {key} holds values beyond float16's 65504", "its training went astray, take another")
    return rounded


def _stored(path: Path, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What a file is to hold: float16, without `enc_q`, each tensor in a storage of its own."""
    return {key: _rounded(path, key, t).contiguous().clone() for key, t in weights.items() if "enc_q" not in key}


def _write(path: Path, content: dict[str, Any], mark: str = "PK", *, held: bool = False) -> None:
    """Write an archive; with `held` the config is an instance of the holder class. Equal content gives equal bytes."""
    buffer = io.BytesIO()  # torch puts a file's name into every record, but has a fixed one for this
    with _holder_class() as holder:
        torch.save(content | {"config": _held(content["config"], holder if held else None)}, buffer)
    buffer.seek(0)
    buffer.write(mark.encode("ascii"))
    write_bytes(path, buffer.getvalue())


def _compare(path: Path, weights: Mapping[str, torch.Tensor], version: str) -> None:
    """Read a file that was written back; raises UserError unless all bits are equal."""
    found = read_official(path, version).weights
    for key, tensor in weights.items():
        if not torch.equal(found[key].view(torch.int16), tensor.view(torch.int16)):
            raise UserError(f"{path}: {key} was read back with other values", "check the disk, then export again")


@contextmanager
def _holder_class() -> Iterator[type]:
    """The class that GPT-SoVITS expects a config in, importable from `utils` for as long as the context lasts."""
    module_name, class_name = HOLDER
    holder = type(class_name, (), {"__module__": module_name})
    module = ModuleType(module_name)
    setattr(module, class_name, holder)
    with _LOCK:
        before = sys.modules.get(module_name)
        sys.modules[module_name] = module
        try:
            yield holder
        finally:
            if before is None:
                del sys.modules[module_name]
            else:
                sys.modules[module_name] = before


def _held(value: Any, holder: type | None) -> Any:
    """A copy, dicts as holders if there is one. Equal strings become one object, since pickle tells such apart."""
    if isinstance(value, str):
        return sys.intern(value)
    if not isinstance(value, dict):
        return value
    fields = {sys.intern(key): _held(item, holder) for key, item in value.items()}
    if holder is None:
        return fields
    made = holder()
    vars(made).update(fields)
    return made
