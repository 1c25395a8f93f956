"""Content encoder of the base: the teacher's own first layers in few bits, and a head taught on what they then give.

The head of `realign` read frames of full precision from windows of 30 s, each speaker's mean taken away. In use the
weights have 4 bits, a clip is as long as it is, and the speaker is not known; so the frames of the corpus are made
once more, by the encoder as it will be stored, and the head trained on from there.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from voice.files import sha256_file, write_json
from voice.nets.content_frames import RATE
from voice.nets.whisper_units import WhisperUnits
from voice.pretrain.corpus import Clip, Corpus
from voice.pretrain.realign import HeadTrainer
from voice.pretrain.targets import Targets
from voice.pretrain.teacher import DIMS, LAYER, frame_starts
from voice.pretrain.whisper_weights import load_teacher
from voice.train.loop import train, write_history
from voice.weights import load_tensors

FRAMES, START = "units.f16", "start.safetensors"
SHORTEST_S = 0.1  # what is shorter has frames of zeros; nobody trains on it


class Frames:
    """What the head reads of every clip of the corpus, as this step left it below `folder`."""

    def __init__(self, folder: Path, corpus: Corpus) -> None:
        starts = frame_starts(corpus.clips)
        store = np.memmap(folder / FRAMES, dtype=np.float16, mode="r", shape=(int(starts[-1]), DIMS))
        self._parts = {c.name: store[a:b] for c, a, b in zip(corpus.clips, starts[:-1], starts[1:], strict=True)}

    def of(self, clip: Clip) -> torch.Tensor:
        """float32 [floor(N / 320), 128] of a clip of N samples at 16 kHz."""
        return torch.from_numpy(self._parts[clip.name].astype(np.float32))


def assembled(args: argparse.Namespace) -> WhisperUnits:
    """The encoder with the teacher's layers and directions, and the head of `realign`; as it is once stored.

    Leaves it in `target/units/start.safetensors`. Raises UserError when `--teacher` holds no Whisper-base.
    """
    model = WhisperUnits()
    taught, own = load_teacher(args.teacher, LAYER).encoder.state_dict(), model.whisper.encoder.state_dict()
    positions = "embed_positions.weight"
    model.whisper.encoder.load_state_dict({name: taught[name] for name in own} | {positions: own[positions]})
    basis, _ = load_tensors(args.target / "teacher.safetensors")
    weight, mean = basis["weight"].float(), basis["mean"].float()
    model.project.load_state_dict({"weight": weight.T, "bias": -mean @ weight})
    head, _ = load_tensors(args.target / "teacher_head.safetensors")
    model.head.load_state_dict({name: tensor.float() for name, tensor in head.items()})
    path = args.target / "units" / START
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save(path)
    return WhisperUnits.load(path)


@torch.inference_mode()
def write_frames(model: WhisperUnits, corpus: Corpus, path: Path, device: str) -> None:
    """Frames of the corpus as the head will read them, [frames, 128] float16; goes on from a part that was begun."""
    starts, part, row = frame_starts(corpus.clips), path.with_suffix(".part"), 2 * DIMS
    with part.open("ab") as file:
        first = int(np.searchsorted(starts, file.tell() // row, side="right")) - 1  # clips before it are whole
        file.truncate(int(starts[first]) * row)
        for number in tqdm(range(first, len(corpus.clips)), desc="frames", mininterval=10):
            clip, found = corpus.clips[number], np.zeros((int(starts[number + 1] - starts[number]), DIMS), np.float16)
            if clip.seconds >= SHORTEST_S:
                wav = torch.from_numpy(corpus.wav(clip, RATE))[None].to(device)
                with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=device != "cpu"):
                    found = model.frames(wav)[0][0].float().cpu().numpy().astype(np.float16)
            file.write(found.tobytes())
    part.replace(path)


def settled_frames(stored: Path, corpus: Corpus, arrays: Path, folder: Path, device: str) -> None:
    """`write_frames` to `folder/units.f16`, unless they lie there, made by this `stored` encoder from these arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    note, read = folder / "frames.json", (stored, arrays / "index.jsonl", arrays / f"{RATE}.i16")
    now = {file.name: sha256_file(file) for file in read} | {"device": device}
    before = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else None
    if before != now:
        for file in folder.glob("units.*"):
            file.unlink()
        write_json(note, now)
    if not (folder / FRAMES).is_file():
        write_frames(WhisperUnits.load(stored).to(device), corpus, folder / FRAMES, device)


def run(args: argparse.Namespace) -> None:
    """Write `target/content.safetensors`, and what its head reads of the corpus to `target/units.f16`."""
    corpus, folder = Corpus(args.arrays), args.target / "units"
    model = assembled(args)
    settled_frames(folder / START, corpus, args.arrays, folder, str(args.device))
    targets = Targets(corpus, args.target / "frames.safetensors", folder, FRAMES, centred=False)
    trainer = HeadTrainer(args, corpus, targets)
    trainer.model.load_state_dict(model.head.state_dict())
    print(f"units: before, {trainer.validate()}")
    history = train(
        trainer, args.steps, folder, seed=args.seed, log_every=50, save_every=200, validate_every=200,
        minutes=args.minutes, desc="units",
    )  # fmt: skip
    model.head.load_state_dict(trainer.model.state_dict())
    model.cpu().save(args.target / "content.safetensors")
    shutil.copyfile(folder / FRAMES, args.target / FRAMES)  # not moved: the step run again needs them
    write_history(args.target / "units.loss.tsv", history.rows)
