"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Voice = Annotated[str, typer.Option("--voice", help="A voice of params.yaml.")]
Lang = Annotated[str, typer.Option("--lang", help="auto, en, zh, ja, ko or yue.")]
Noise = Annotated[float | None, typer.Option("--noise-scale", help="0 to 2, more is livelier; else params.yaml's.")]
Length = Annotated[float | None, typer.Option("--length-scale", help="0.3 to 3, more is slower; else params.yaml's.")]
Rate = Annotated[int | None, typer.Option("--rate", help="Resample to this many Hz, as 48000.")]
EngineName = Annotated[str, typer.Option("--engine", help="module:function that loads the voice.", hidden=True)]

# Of a narration, now or on a timetable.
CastFile = Annotated[Path | None, typer.Option("--cast", help="YAML file: NAME: voice.")]
Formats = Annotated[list[str] | None, typer.Option("--format", help="wav, flac, opus, mp3 or m4b (repeatable).")]
Loud = Annotated[str, typer.Option("--loudness", help="none, r128-16, r128-18, r128-23 (LUFS) or acx.")]
Cover = Annotated[Path | None, typer.Option("--cover", help="JPEG or PNG for flac, opus, mp3, m4b.")]
Chapters = Annotated[bool, typer.Option("--chapters", help="One file a chapter, too.")]
Strict = Annotated[bool, typer.Option("--strict", help="No book while a line fails; lines are kept.")]
Mark = Annotated[str, typer.Option("--mark", help="none, or what says that a machine speaks: tone (a rhythm), spoken.")]
Watermark = Annotated[str | None, typer.Option("--watermark", help="One that an installed package offers.")]
Batch = Annotated[int, typer.Option("--batch", min=1, help="Lines a task.")]
Runner = Annotated[str, typer.Option("--runner", help="local, threads:N, processes:N, dask:N or ray:N.")]
Gating = Annotated[
    str | None, typer.Option("--gate", help="on, off, or module:function that gives a judge. Default: on.")
]
