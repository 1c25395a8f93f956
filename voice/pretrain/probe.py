"""What a content encoder and its tokens tell of strangers: phones lost in recordings that no training has seen.

Three measures a speaker, all against the text front end's reading of the transcript:
- CTC: phone error of the encoder's own recogniser, best path
- tokens: phone error of the commonest unit of each token, repeats merged, silence out
- nats: CTC negative log likelihood of the text's units, a unit, given the tokens (`voice.takes.Heard.mismatch`)
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch

from voice.errors import UserError
from voice.metrics.phone_error import heard_units, phone_edits, phone_error_rate
from voice.nets.content import load_phone_recogniser
from voice.nets.content_frames import RATE, PhoneRecogniser
from voice.takes import Heard
from voice.text import read_text
from voice.text.units import units_of
from voice.transcript import read_transcript
from voice.weights import load_tensors


@dataclass(frozen=True)
class Said:
    """An utterance of a recording: its sound at 16 kHz, float32 [N], its phones and their units."""

    speaker: str
    wav: np.ndarray
    phones: tuple[int, ...]
    units: tuple[int, ...]
    text: str
    lang: str


def read_recordings(folder: Path) -> list[Said]:
    """Utterances of every speaker below `folder` (`recording.flac`, `transcript.txt`, `about.json` with true spans).

    Raises UserError when there is no recording or spans and lines differ in number.
    """
    found = []
    for about in sorted(folder.glob("*/about.json")):
        note = json.loads(about.read_text())
        lines, spans = read_transcript(about.parent / "transcript.txt"), note["utterance_spans_s"]
        if len(lines) != len(spans):
            raise UserError(f"{about}: {len(spans)} spans for {len(lines)} lines", "one span a line of the transcript")
        wav, rate = soundfile.read(about.parent / "recording.flac", dtype="float32", always_2d=True)
        for line, (start, end) in zip(lines, spans, strict=True):
            part = wav[int(start * rate) : int(end * rate)].mean(1)
            reading = read_text(line, note["language"])
            ready = soxr.resample(part, rate, RATE, quality="HQ")
            phones, units = tuple(reading.ids), tuple(units_of(reading.phones))
            found.append(Said(note["speaker"], ready, phones, units, line, note["language"]))
    if not found:
        raise UserError(f"{folder}: no */about.json below it", "give the folder of the recordings")
    return found


@dataclass(frozen=True)
class Listener:
    """A content encoder with the frozen projection and codebook of its tokens, and what each token stands for."""

    encoder: PhoneRecogniser
    kernel: torch.Tensor
    bias: torch.Tensor
    codebook: torch.Tensor
    heard: Heard

    @classmethod
    def load(cls, folder: Path) -> Listener:
        """From a base or from a work folder of training (projection and codebook in `quantiser.safetensors`)."""
        own = folder / "quantiser.safetensors"
        tensors, _ = load_tensors(own if own.is_file() else folder / "acoustic.safetensors")
        kernel, bias, codes = (
            tensors[name].float() for name in ("ssl_proj.weight", "ssl_proj.bias", "quantiser.embed")
        )
        encoder, heard = load_phone_recogniser(folder / "content.safetensors"), Heard.load(folder / "heard.safetensors")
        return cls(encoder, kernel, bias, codes, heard)

    @torch.inference_mode()
    def hear(self, wav: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Sound [N] -> CTC log probabilities [T, units] and tokens [T // 2] int64."""
        ssl, logs, _ = self.encoder.features_and_log_probs(torch.from_numpy(wav)[None])
        frames = torch.nn.functional.conv1d(ssl.transpose(1, 2), self.kernel, self.bias, stride=2)[0].T
        tokens = (2 * frames @ self.codebook.T - self.codebook.square().sum(-1)).argmax(-1)
        return logs[0], tokens


def commonest(heard: Heard, tokens: torch.Tensor) -> list[int]:
    """The likeliest unit of each token [T], repeats merged, silence left out."""
    return [unit for unit, _ in groupby(heard.table[tokens].argmax(-1).tolist()) if unit]


@dataclass(frozen=True)
class Score:
    """Phone errors (shares) and nats a unit of one speaker, and how many units were meant."""

    ctc: float
    tokens: float
    nats: float
    units: int


def score(listener: Listener, said: Sequence[Said]) -> dict[str, Score]:
    """A Score of each speaker."""
    sums: dict[str, np.ndarray] = {}
    for one in said:
        logs, tokens = listener.hear(one.wav)
        edits = phone_edits(heard_units(logs), one.units), phone_edits(commonest(listener.heard, tokens), one.units)
        nats = listener.heard.mismatch(tokens, torch.tensor(one.phones)) * len(one.units)
        sums[one.speaker] = sums.get(one.speaker, np.zeros(4)) + [*edits, nats, len(one.units)]
    return {
        name: Score(phone_error_rate(ctc, n), phone_error_rate(tok, n), nats / n, int(n))
        for name, (ctc, tok, nats, n) in sums.items()
    }


def mean(scores: Sequence[Score]) -> Score:
    """Each speaker counts the same."""
    ctc, tokens, nats = (float(np.mean([getattr(s, name) for s in scores])) for name in ("ctc", "tokens", "nats"))
    return Score(ctc, tokens, nats, sum(s.units for s in scores))


def table(names: Sequence[str], scores: Sequence[dict[str, Score]]) -> str:
    """Markdown: one row a speaker and the mean of speakers, three columns a listener."""
    head = "".join(f" {name}: CTC | tokens | nats |" for name in names)
    lines = [f"| speaker |{head}", "|---" * (1 + 3 * len(names)) + "|"]

    def row(label: str, cells: Sequence[Score]) -> str:
        shown = [f" {100 * cell.ctc:.1f} % | {100 * cell.tokens:.1f} % | {cell.nats:.2f} |" for cell in cells]
        return f"| {label} |" + "".join(shown)

    lines += [row(speaker, [found[speaker] for found in scores]) for speaker in scores[0]]
    return "\n".join([*lines, row("mean", [mean(list(found.values())) for found in scores])])


def compare(recordings: Path, folders: Sequence[Path]) -> str:
    """Score the listener of every folder on all recordings: a table."""
    said = read_recordings(recordings)
    return table([folder.name for folder in folders], [score(Listener.load(folder), said) for folder in folders])


def run(args: argparse.Namespace) -> None:
    """Print the table."""
    print(compare(args.recordings, args.listeners))
