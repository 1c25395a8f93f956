"""What the first layers of Whisper-base's encoder tell of strangers when their weights are stored in few bits.

The layers of the teacher stay as they are, the head of `realign` reads them, and a token is the nearest of the k-means
codes of its posteriors: square roots of the frame posteriors (so that distance is Hellinger's), two frames averaged.
Clips are not filled up to 30 s. The head and the codes are made once, from the teacher at full precision.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

import numpy as np
import torch
from safetensors.torch import save as to_bytes
from sklearn.cluster import MiniBatchKMeans
from tqdm import tqdm

from voice.bits import Scheme, pack, unpack
from voice.errors import UserError
from voice.metrics.phone_error import heard_units, phone_edits, phone_error_rate
from voice.nets.hubert import HOP
from voice.nets.whisper import WhisperContent, WhisperContentConfig
from voice.nets.whisper_units import UnitHead
from voice.pretrain.corpus import Corpus
from voice.pretrain.frames import sounding
from voice.pretrain.probe import Said, Score, commonest, read_recordings, table
from voice.pretrain.targets import Targets, fitting
from voice.pretrain.teacher import HALF, LAYER
from voice.pretrain.whisper_weights import load_teacher
from voice.takes import Heard
from voice.weights import load_tensors

SCHEMES = {
    "float16": None, "int8": Scheme(8), "int6": Scheme(6), "int4, groups of 64": Scheme(4, 64),
    "int4, groups of 32": Scheme(4, 32), "int3, groups of 32": Scheme(3, 32),
}  # fmt: skip
CLIPS, CODES, LEVEL, DRAWN = 1300, 512, 0.1, 500  # DRAWN as in Targets: frames by which a mean is drawn to zero


def stored(teacher: WhisperContent, layers: int, scheme: Scheme | None) -> tuple[WhisperContent, int]:
    """The teacher up to `layers`, its matrices and convolutions gone through `scheme`, and the bytes of its file.

    Without a scheme all is float16, as are biases and norms with one. The table of positions, sines by rule, is not
    counted; the network takes clips of any length as they are.
    """
    state, kept = teacher.encoder.state_dict(), {}
    for name, tensor in list(state.items()):
        if name.startswith(("embed_positions", "layer_norm")):
            continue
        if name.startswith("layers.") and int(name.split(".")[1]) >= layers:
            continue
        if scheme is None or tensor.dim() < 2:
            kept[name] = tensor.half()
            state[name] = kept[name].float()
        else:
            packed = pack(tensor.numpy(), scheme)
            kept |= {f"{name}.data": torch.from_numpy(packed.data), f"{name}.scales": torch.from_numpy(packed.scales)}
            state[name] = torch.from_numpy(unpack(packed))
    config = WhisperContentConfig(**vars(teacher.config) | {"fill": False, "feature_layer": layers})
    model = WhisperContent(config)
    model.encoder.load_state_dict(state)
    return model.eval(), len(to_bytes(kept))


@torch.inference_mode()
def frames(model: WhisperContent, wav: np.ndarray) -> np.ndarray:
    """Frames [floor(N / 320), D] float32 of sound [N] at one level, on the grid that the teacher's targets have."""
    loud = wav * (LEVEL / max(float(np.sqrt(np.square(wav).mean())), 1e-4))
    count = len(wav) // HOP
    found = model.features(torch.from_numpy(np.pad(loud, (HALF, HALF + HOP)).astype(np.float32))[None])[0][0]
    return found[1 : count + 1].numpy()


def posteriors(scores: torch.Tensor) -> np.ndarray:
    """Frame scores [T, units] -> [T // 2, units] float32, square roots of the posteriors, two frames averaged."""
    roots = scores.softmax(-1).sqrt()
    return roots[: len(roots) // 2 * 2].view(-1, 2, roots.shape[1]).mean(1).numpy()


class Codes:
    """k-means codes of posteriors, and which unit each stands for."""

    def __init__(self, found: Sequence[np.ndarray], units: Sequence[np.ndarray], codes: int, seed: int) -> None:
        flat = np.concatenate(found)
        self.means = MiniBatchKMeans(codes, batch_size=8192, max_iter=100, n_init=2, random_state=seed).fit(flat)
        said = np.concatenate([unit[1 : len(unit) // 2 * 2 : 2] for unit in units]).astype(np.int64)
        tokens = torch.from_numpy(self.means.predict(flat)).long()
        self.heard = Heard.count(tokens, torch.from_numpy(said), codes)

    def tokens(self, found: np.ndarray) -> torch.Tensor:
        """[T, units] -> [T] int64."""
        return torch.from_numpy(self.means.predict(found)).long()


def speaker_means(said: Sequence[Said], projected: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Mean sounding frame of each speaker, drawn to zero as `Targets` does."""
    sums: dict[str, np.ndarray] = {}
    for one, part in zip(said, projected, strict=True):
        heard = part[sounding(one.wav, len(part))]
        sums[one.speaker] = sums.get(one.speaker, 0) + np.append(heard.sum(0), len(heard))
    return {name: (row[:-1] / (row[-1] + DRAWN)).astype(np.float32) for name, row in sums.items()}


@torch.inference_mode()
def scores(
    model: WhisperContent, said: Sequence[Said], project: Callable[[np.ndarray], np.ndarray], head: UnitHead,
    codes: Codes,
) -> dict[str, Score]:  # fmt: skip
    """A Score of each speaker, with the CTC of the head and the tokens of its posteriors."""
    projected = [project(frames(model, one.wav)) for one in said]
    means = speaker_means(said, projected)
    sums: dict[str, np.ndarray] = {}
    for one, part in zip(said, projected, strict=True):
        scored, ctc = (x[0] for x in head(torch.from_numpy(part - means[one.speaker])[None]))
        tokens = codes.tokens(posteriors(scored))
        edits = phone_edits(heard_units(ctc), one.units), phone_edits(commonest(codes.heard, tokens), one.units)
        nats = codes.heard.mismatch(tokens, torch.tensor(one.phones)) * len(one.units)
        sums[one.speaker] = sums.get(one.speaker, np.zeros(4)) + [*edits, nats, len(one.units)]
    return {
        name: Score(phone_error_rate(ctc, n), phone_error_rate(tok, n), nats / n, int(n))
        for name, (ctc, tok, nats, n) in sums.items()
    }


@torch.inference_mode()
def run(args: argparse.Namespace) -> None:
    """Print size and scores of every scheme; reads `--teacher`, `--recordings`, `--arrays` and what `realign` left.

    Raises UserError when `--teacher` or `--recordings` is not given.
    """
    if args.teacher is None or args.recordings is None:
        raise UserError(
            "fewbits needs --teacher and --recordings", "Whisper-base for CTranslate2; strangers' recordings"
        )
    corpus = Corpus(args.arrays)
    targets = Targets(corpus, args.target / "frames.safetensors", args.target)
    basis, _ = load_tensors(args.target / "teacher.safetensors")
    weight, mean = basis["weight"].numpy(), basis["mean"].numpy()
    head = UnitHead()
    taught, _ = load_tensors(args.target / "teacher_head.safetensors")
    head.load_state_dict({name: tensor.float() for name, tensor in taught.items()})
    head.eval()
    clips = [clip for clip in fitting(corpus, targets) if clip.kind != "isolated word"]
    picked = [clips[i] for i in np.random.default_rng(args.seed).permutation(len(clips))[:CLIPS]]
    pairs = [targets.of(clip) for clip in picked]
    codes = Codes(
        [posteriors(head(part[None])[0][0]) for _, part in tqdm(pairs, desc="posteriors", mininterval=10)],
        [unit.numpy() for unit, _ in pairs], CODES, args.seed,
    )  # fmt: skip
    said, teacher, names, found = read_recordings(args.recordings), load_teacher(args.teacher, LAYER), [], []
    for name, scheme in SCHEMES.items():
        model, size = stored(teacher, LAYER, scheme)
        names.append(f"{name}, {size / 1e6:.2f} MB")
        found.append(scores(model, said, lambda x: (x - mean) @ weight, head, codes))
    print(table(names, found))
