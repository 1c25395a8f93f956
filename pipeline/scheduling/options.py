"""How a scheduled narration is made, besides script, voice and folders: what `reprovoice narrate` takes as options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from pipeline.engine import DEFAULT_ENGINE, SayOptions
from pipeline.narration.gate import chosen_gate
from pipeline.narration.options import BookOptions
from pipeline.runners import parse_runner
from voice.errors import UserError

# Each raises UserError for a value that a narration would refuse.
_CHECKS: dict[str, Callable[[Any], object]] = {
    "formats": lambda value: BookOptions(formats=tuple(value)),
    "loudness": lambda value: BookOptions(loudness=value),
    "mark": lambda value: BookOptions(mark=value),
    "lang": lambda value: SayOptions(lang=value),
    "noise_scale": lambda value: SayOptions(noise_scale=value),
    "length_scale": lambda value: SayOptions(length_scale=value),
    "rate": lambda value: SayOptions(rate=value),
    "gate": lambda value: chosen_gate(value, DEFAULT_ENGINE),
    "runner": parse_runner,
}


class NarrationOptions(BaseModel):
    """Parameters of the flow `narrate`, by their names there; paths are relative to the project's root."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lang: str = "auto"
    noise_scale: float | None = None
    length_scale: float | None = None
    rate: int | None = None
    cast: str | None = Field(default=None, min_length=1)
    formats: tuple[str, ...] = ("flac",)
    loudness: str = "none"
    cover: str | None = Field(default=None, min_length=1)
    chapters: bool = False
    strict: bool = False
    mark: str = "none"
    watermark: str | None = Field(default=None, min_length=1)
    gate: str | None = None
    batch: int = Field(default=8, ge=1)
    runner: str = "local"

    @field_validator(*_CHECKS)
    @classmethod
    def _usable(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None:
            try:
                _CHECKS[str(info.field_name)](value)
            except UserError as error:
                raise ValueError(str(error)) from error
        return value

    def given(self) -> dict[str, Any]:
        """What is not as usual, as plain values: parameters of `narrate`."""
        return self.model_dump(mode="json", include=set(NarrationOptions.model_fields), exclude_defaults=True)

    def check_files(self, root: Path, script: Path | None = None) -> None:
        """Read script, cast and cover, and look the watermark and the gate up. Raises UserError for what is not usable.

        What another engine's cast names is not known here.
        """
        from pipeline.narration.gate import find_gate
        from pipeline.scripts import read_cast, read_script

        cast = read_cast(root / self.cast) if self.cast else None
        if script is not None:
            read_script(script, cast)
        if self.cover:
            from voice.mastering.cover import read_cover

            read_cover(root / self.cover)
        if self.watermark:
            from voice.mastering.watermarks import find_watermark

            find_watermark(self.watermark)
        if self.gate and ":" in self.gate:
            find_gate(self.gate, root)
