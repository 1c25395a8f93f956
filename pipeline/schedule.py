"""Narrations on a timetable: written down in schedules.yaml at the root. `pipeline.scheduling` runs them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from pipeline.engine import DEFAULT_ENGINE
from pipeline.scheduling.options import NarrationOptions
from pipeline.scheduling.quiet import parse_quiet, parse_zone
from voice.errors import UserError
from voice.files import write_text

FILE = "schedules.yaml"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SHORTEST = timedelta(seconds=10)


def parse_every(text: str) -> timedelta:
    """ "60s", "5m", "2h", "1d" as a time span. Raises ValueError when it is none or below 10 s."""
    match = re.fullmatch(r"(\d{1,9})([smhd])", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no time span such as 60s, 5m, 2h or 1d")
    span = timedelta(seconds=int(match[1]) * UNITS[match[2]])
    if span < SHORTEST:
        raise ValueError(f"{text!r} is shorter than {SHORTEST.seconds}s")
    if span > timedelta(days=3660):
        raise ValueError(f"{text!r} is longer than ten years")
    return span


class Schedule(NarrationOptions):
    """What is narrated and when: `script` into `out`, or all scripts of the folder `inbox` into folders of `outbox`.

    One of `cron` (five fields, by the clock of `timezone`) and `every` (60s, 5m, 2h, 1d; counted from midnight there,
    so that it does not shift when the server is started again). Nothing starts in the `quiet` hours (08:00-20:00).
    The other keys are those of NarrationOptions.
    """

    script: str | None = Field(default=None, min_length=1)
    out: str | None = Field(default=None, min_length=1)
    inbox: str | None = Field(default=None, min_length=1)
    outbox: str | None = Field(default=None, min_length=1)
    voice: str = Field(min_length=1)
    cron: str | None = None
    every: str | None = None
    timezone: str = "UTC"
    quiet: str | None = None
    engine: str = DEFAULT_ENGINE

    @field_validator("every")
    @classmethod
    def _span(cls, value: str | None) -> str | None:
        if value is not None:
            parse_every(value)
        return value

    @field_validator("cron")
    @classmethod
    def _five_fields(cls, value: str | None) -> str | None:
        if value is not None and len(value.split()) != 5:
            raise ValueError(f"{value!r} is not five fields (minute hour day month weekday)")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        parse_zone(value)
        return value

    @field_validator("quiet")
    @classmethod
    def _hours(cls, value: str | None) -> str | None:
        if value is not None:
            parse_quiet(value)
        return value

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.cron is None) == (self.every is None):
            raise ValueError("give exactly one of cron and every")
        script, inbox = (self.script, self.out), (self.inbox, self.outbox)
        if not (all(script) and not any(inbox)) and not (all(inbox) and not any(script)):
            raise ValueError("give script and out, or inbox and outbox")
        if self.cast and self.inbox:
            raise ValueError("a cast belongs to one script; an inbox takes any")
        return self

    def parameters(self) -> dict[str, Any]:
        """The parameters of the flow that it starts, of `pipeline.scheduling.flows`."""
        others = {"cron", "every", *NarrationOptions.model_fields}
        return {**self.model_dump(exclude=others, exclude_none=True), "options": self.given()}

    def timing(self) -> Any:
        """Its times as Prefect's own object, which knows what to do when clocks are changed.

        Raises ValueError for a cron text that Prefect refuses.
        """
        from prefect.schedules import Cron, Interval

        if self.cron is not None:
            return Cron(self.cron, timezone=self.timezone)
        assert self.every is not None
        midnight = datetime(2020, 1, 1, tzinfo=parse_zone(self.timezone))
        return Interval(parse_every(self.every), anchor_date=midnight, timezone=self.timezone)


def read_schedules(root: Path) -> dict[str, Schedule]:
    """All schedules by name, {} when the file is missing. Raises UserError naming the wrong key."""
    path = root / FILE
    if not path.is_file():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{path}: not YAML: {' '.join(str(error).split())}", "mend it by hand") from error
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}", "let its reader have it") from error
    if not isinstance(content, dict) or not all(isinstance(entry, dict) for entry in content.values()):
        raise UserError(f"{path}: not a mapping of names to schedules", "mend it by hand")
    return {str(name): make_schedule(str(name), entry, str(path)) for name, entry in content.items()}


def make_schedule(name: str, entry: dict[str, Any], where: str = "schedule") -> Schedule:
    """A checked Schedule. Raises UserError naming the schedule, the key and the rule."""
    if not NAME.fullmatch(name):
        raise UserError(f"{where}: {name!r} is no schedule name", "use letters, digits, - and _")
    try:
        return Schedule(**entry)
    except (ValidationError, TypeError) as error:
        if not isinstance(error, ValidationError):
            raise UserError(f"{where}: {name}: {error}", "keys are text") from error
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        reason = first["msg"].removeprefix("Value error, ")
        raise UserError(
            f"{where}: {name}{'.' if key else ''}{key}: {reason}", "see `reprovoice schedule add --help`"
        ) from error


def check_timing(name: str, schedule: Schedule) -> Any:
    """Its times for Prefect. Raises UserError when Prefect refuses the cron text."""
    try:
        return schedule.timing()
    except ValueError as error:
        raise UserError(f"{name}: cron {schedule.cron!r}: not a cron text", 'for instance "0 3 * * *"') from error


def add_schedule(root: Path, name: str, schedule: Schedule) -> None:
    """Store a schedule. Raises UserError when the name is taken or Prefect refuses the cron text."""
    schedules = read_schedules(root)
    if name in schedules:
        raise UserError(f"{name}: there is a schedule of that name", f"`reprovoice schedule remove {name}` first")
    check_timing(name, schedule)
    _write(root, {**schedules, name: schedule})


def remove_schedule(root: Path, name: str) -> None:
    """Delete a schedule. Raises UserError for an unknown name."""
    schedules = read_schedules(root)
    find_schedule(schedules, name)
    del schedules[name]
    _write(root, schedules)


def find_schedule(schedules: dict[str, Schedule], name: str) -> Schedule:
    """The schedule of that name. Raises UserError naming those there are."""
    if name not in schedules:
        raise UserError(f"{name}: no such schedule", f"schedules: {', '.join(sorted(schedules)) or 'none'}")
    return schedules[name]


def _write(root: Path, schedules: dict[str, Schedule]) -> None:
    plain = {name: entry.model_dump(mode="json", exclude_defaults=True) for name, entry in schedules.items()}
    write_text(root / FILE, yaml.safe_dump(plain, allow_unicode=True, sort_keys=True))
