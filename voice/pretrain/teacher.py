"""Teacher of the alignment and of the content encoder: frames of Whisper-base's encoder over the corpus.

Whisper (Radford et al. 2023, MIT) was trained on hundreds of thousands of hours of strangers; our corpus has a few
hundred speakers. Its encoder therefore tells what in the sound is content. Clips of one speaker are laid end to end
in windows of 30 s, the only length Whisper was trained on, so that a window costs no padding.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.decomposition import PCA
from tqdm import tqdm

from voice.nets.hubert import HOP, RATE
from voice.nets.whisper import WhisperContent
from voice.pretrain.corpus import Clip, Corpus
from voice.pretrain.whisper_weights import load_teacher
from voice.weights import load_tensors, save_tensors

LAYER = 4  # the best of 3 to 6 by a linear probe on strangers; docs/base.md
DIMS = 128
WINDOW = 30 * RATE
GAP = 15 * HOP  # silence between two clips of a window
HALF = HOP // 2  # our frame is centred this much later than the teacher's of the same number
SAMPLED_WINDOWS = 80  # for the directions kept


@dataclass(frozen=True)
class Window:
    """Clips (by number) that share 30 s, and the sample at which each begins."""

    clips: tuple[int, ...]
    starts: tuple[int, ...]


def windows(clips: list[Clip]) -> list[Window]:
    """Every clip once, in windows of one speaker; a clip longer than 30 s has a window of its own."""
    order = sorted(range(len(clips)), key=lambda i: (clips[i].speaker, i))
    found: list[Window] = []
    group: list[int] = []
    starts: list[int] = []
    end = 0
    for i in order:
        size = clips[i].size[RATE] // HOP * HOP
        if group and (clips[group[0]].speaker != clips[i].speaker or end + GAP + size > WINDOW - HOP):
            found.append(Window(tuple(group), tuple(starts)))
            group, starts, end = [], [], 0
        begin = end + GAP if group else 0
        group.append(i)
        starts.append(begin + HALF)
        end = begin + size
    if group:
        found.append(Window(tuple(group), tuple(starts)))
    return found


def window_wav(corpus: Corpus, window: Window) -> np.ndarray:
    """The sound of a window, float32; every clip at one level, so that none is lost beside a loud one."""
    last = corpus.clips[window.clips[-1]].size[RATE]
    wav = np.zeros(window.starts[-1] + last + HALF, dtype=np.float32)
    for i, start in zip(window.clips, window.starts, strict=True):
        part = corpus.wav(corpus.clips[i], RATE)
        wav[start : start + len(part)] = part * (0.1 / max(float(np.sqrt(np.square(part).mean())), 1e-4))
    return wav


@torch.inference_mode()
def window_frames(teacher: WhisperContent, corpus: Corpus, window: Window, device: str) -> list[np.ndarray]:
    """Teacher frames of each clip of a window, on our grid: [floor(N / 320), 512] float32."""
    wav = torch.from_numpy(window_wav(corpus, window))[None].to(device)
    with torch.autocast(torch.device(device).type, torch.bfloat16):
        frames = teacher.features(wav)[0][0].float().cpu().numpy()
    out = []
    for i, start in zip(window.clips, window.starts, strict=True):
        first, count = (start + HALF) // HOP, corpus.clips[i].size[RATE] // HOP
        part = frames[first : first + count]
        out.append(np.pad(part, ((0, count - len(part)), (0, 0)), mode="edge"))
    return out


def frame_starts(clips: list[Clip]) -> np.ndarray:
    """First frame of every clip, and the number of all frames last: int64 [clips + 1]."""
    return np.cumsum([0, *(clip.size[RATE] // HOP for clip in clips)])


def run(args: argparse.Namespace) -> None:
    """Write `target/teacher.f16` [frames of the corpus, 128] and its basis `target/teacher.safetensors`.

    The directions are principal components, each brought to unit spread over a sample of the corpus.
    Resumes: windows already written are listed in `target/teacher/done`.
    """
    corpus, out = Corpus(args.arrays), args.target
    part = out / "teacher"  # what is not whole yet: a step that is stopped goes on from here
    part.mkdir(parents=True, exist_ok=True)
    teacher = load_teacher(args.teacher, LAYER).to(args.device)
    groups, starts = windows(corpus.clips), frame_starts(corpus.clips)
    basis = part / "basis.safetensors"
    if not basis.is_file():
        picked = np.random.default_rng(args.seed).permutation(len(groups))[:SAMPLED_WINDOWS]
        sample = [window_frames(teacher, corpus, groups[n], args.device) for n in tqdm(picked, desc="sample")]
        frames = np.concatenate([one for several in sample for one in several])
        pca = PCA(DIMS, svd_solver="covariance_eigh").fit(frames)
        weight = pca.components_.T / np.sqrt(pca.explained_variance_)
        save_tensors(
            basis,
            {"weight": torch.from_numpy(weight).float(), "mean": torch.from_numpy(pca.mean_).float()},
            {"layer": LAYER, "kept": round(float(pca.explained_variance_ratio_.sum()), 4)},
        )
        print(f"teacher: {DIMS} components keep {100 * pca.explained_variance_ratio_.sum():.1f} % of the variance")
    tensors, _ = load_tensors(basis)
    weight, mean = tensors["weight"].numpy(), tensors["mean"].numpy()
    shape = (int(starts[-1]), DIMS)
    file, log = part / "frames.f16", part / "done"
    if not file.is_file() or file.stat().st_size != 2 * shape[0] * shape[1]:
        log.unlink(missing_ok=True)
    store = np.memmap(file, dtype=np.float16, mode="r+" if log.is_file() else "w+", shape=shape)
    done = {int(line) for line in log.read_text().split()} if log.is_file() else set()
    with log.open("a") as marks:
        for number in tqdm([n for n in range(len(groups)) if n not in done], desc="teacher", mininterval=20):
            found = window_frames(teacher, corpus, groups[number], args.device)
            for i, frames in zip(groups[number].clips, found, strict=True):
                store[starts[i] : starts[i + 1]] = (frames - mean) @ weight
            store.flush()
            print(number, file=marks, flush=True)
    file.replace(out / "teacher.f16")
    basis.replace(out / "teacher.safetensors")
    log.unlink()
