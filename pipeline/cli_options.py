"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Voice = Annotated[str, typer.Option("--voice", help="A voice of params.yaml.")]
Lang = Annotated[str, typer.Option("--lang", help="auto, en, zh, ja, ko or yue.")]
Noise = Annotated[float | None, typer.Option("--noise-scale", help="0 to 2, more is livelier; else params.yaml's.")]
Length = Annotated[float | None, typer.Option("--length-scale", help="0.3 to 3, more is slower; else params.yaml's.")]
Rate = Annotated[int | None, typer.Option("--rate", help="Resample to this many Hz, as 48000.")]
EngineName = Annotated[str, typer.Option("--engine", help="module:function that loads the voice.", hidden=True)]
