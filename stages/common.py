"""What every stage shares: where things lie, the command line, one-line errors, thread caps, progress."""

from __future__ import annotations

import argparse
import errno
import inspect
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import track

from stages.params import load_params, project_root
from voice.errors import UserError

T = TypeVar("T")
ITEMS = Path(".cache/items")


class VoicePaths:
    """Files of one voice, relative to the project's root, which is the current folder of every stage."""

    def __init__(self, voice: str) -> None:
        data, models = Path("data") / voice, Path("models") / voice
        self.voice = voice
        self.raw = Path("data/raw") / voice
        self.transcript = self.raw / "transcript.txt"
        self.clean, self.recordings = data / "clean", data / "recordings.jsonl"
        self.segments, self.segments_table = data / "segments", data / "segments.jsonl"
        self.aligned, self.rejected = (
            data / "aligned.jsonl",
            data / "aligned.rejected.jsonl",
        )
        self.words, self.coverage = data / "words.jsonl", data / "coverage.json"
        self.lexicon = data / "lexicon.json"
        self.features, self.features_table = data / "features", data / "features.jsonl"
        self.models = models
        self.semantic, self.semantic_loss = (
            models / "semantic.safetensors",
            models / "semantic.loss.tsv",
        )
        self.acoustic, self.acoustic_loss = (
            models / "acoustic.safetensors",
            models / "acoustic.loss.tsv",
        )
        self.reference, self.reference_note = (
            models / "reference.flac",
            models / "reference.json",
        )
        self.metrics, self.evaluation = models / "metrics.json", models / "evaluation"
        self.listening = data / "listening"
        self.listening_table = self.listening / "listening.jsonl"


def paths(voice: str) -> VoicePaths:
    """The paths of one voice."""
    return VoicePaths(voice)


def lexicon_files(voice: str | None, root: Path | None = None) -> list[Path]:
    """The files with own pronunciations that there are: the project's, then the voice's, whose words win."""
    root = root or Path()
    files = [root / "lexicon.yaml", *([root / "data/raw" / voice / "lexicon.yaml"] if voice else [])]
    return [file for file in files if file.is_file()]


def base_dir(base: str) -> Path:
    """Where stage `pretrained` puts the checked base weights."""
    return Path("models/pretrained") / base


def progress(items: Iterable[T], text: str, total: int | None = None) -> Iterable[T]:
    """`items` with a bar and the time left on stderr, silent when that is no terminal."""
    console = Console(stderr=True)
    return track(items, text, total=total, console=console, disable=not sys.stderr.isatty())


def run(main: Callable[..., None]) -> None:
    """Command line of a stage: `--voice NAME` when `main` takes one. A user's mistake: one line, status 2."""
    stage = Path(inspect.getfile(main)).stem
    parser = argparse.ArgumentParser(
        prog=f"python -m stages.{stage}",
        description=sys.modules[main.__module__].__doc__,
    )
    per_voice = bool(inspect.signature(main).parameters)
    if per_voice:
        parser.add_argument("--voice", required=True, help="a key of `voices` in params.yaml")
    options = parser.parse_args()
    try:
        if project_root() != Path.cwd().resolve():
            raise UserError("a stage runs in the folder that holds dvc.yaml", f"cd {project_root()}")
        params = load_params()
        if per_voice and options.voice not in params.voices:
            params.voice(options.voice)  # raises, with the known names
        if torch := sys.modules.get("torch"):
            # Not through the guard: a test proves that stages which compute with torch list `threads`.
            torch.set_num_threads(vars(params)["threads"])
            torch.use_deterministic_algorithms(True, warn_only=True)
        main(options.voice) if per_voice else main()
    except UserError as error:
        sys.exit(_fail(stage, str(error)))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        sys.exit(
            _fail(
                stage,
                "no space left on device (free some, then run the same command again)",
            )
        )


def _fail(stage: str, message: str) -> int:
    print(f"{stage}: {message}", file=sys.stderr, flush=True)
    return 2
