"""schedules.yaml by hand: any mistake is one line that names the schedule, the key and the rule."""

from __future__ import annotations

import asyncio
import inspect
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.narrate import narrate
from pipeline.schedule import add_schedule, make_schedule, parse_every, read_schedules
from pipeline.scheduling.flows import narrate_script
from pipeline.scheduling.options import NarrationOptions
from voice.errors import UserError

BOX: dict[str, Any] = {"inbox": "scripts/inbox", "outbox": "scripts/outbox", "voice": "ann", "every": "60s"}
SCRIPT: dict[str, Any] = {"script": "a.txt", "out": "out", "voice": "ann", "cron": "0 3 * * *"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "not YAML"),
        ("- a", "not a mapping"),
        ("a: 3", "not a mapping"),
        ("a: {voice: ann}", "exactly one of cron and every"),
        ("a: {every: 60s, script: a.txt, out: out}", "a.voice: Field required"),
        ("a: {every: 60, script: a.txt, out: out, voice: ann}", "a.every: Input should be a valid string"),
        ("a: {every: 60s, script: a.txt, outbox: out, voice: ann}", "give script and out, or inbox and outbox"),
        ("a: {every: 60s, script: a.txt, out: out, inbox: i, outbox: o, voice: ann}", "give script and out, or"),
        ("a: {every: 60s, inbox: i, outbox: o, voice: ann, timezone: Mars/Base}", "a.timezone: 'Mars/Base' is no"),
        ("a: {every: 60s, inbox: i, outbox: o, voice: ann, quiet: 8 to 20}", "a.quiet: '8 to 20' is no part"),
        ("a: {every: 99999999d, inbox: i, outbox: o, voice: ann}", "a.every: .* longer than ten years"),
        ("a: {every: 60s, inbox: i, outbox: o, voice: ann, formats: [mp5]}", "a.formats: --format mp5: not known"),
        ("a: {every: 60s, inbox: i, outbox: o, voice: ann, formats: m4b}", "a.formats: Input should be a valid tuple"),
        ("a: {every: 60s, inbox: i, outbox: o, voice: ann, formats: []}", "a.formats: --format: none given"),
        ("a: {every: 60s, inbox: i, outbox: o, voice: ann, loudness: loud}", "a.loudness: --loudness loud: not known"),
        ("a: {every: 60s, inbox: i, outbox: o, voice: ann, lang: xx}", "a.lang: --lang xx: unknown language"),
        ("a: {every: 60s, inbox: i, outbox: o, voice: ann, length_scale: 9}", "a.length_scale: .* out of range"),
        ("a: {every: 60s, inbox: i, outbox: o, voice: ann, gate: maybe}", "a.gate: --gate maybe: not known"),
        ("a: {every: 60s, inbox: i, outbox: o, voice: ann, runner: 'dask:x'}", "a.runner: runner 'dask:x'"),
        ("a: {every: 60s, inbox: i, outbox: o, voice: ann, strict: perhaps}", "a.strict: Input should be a valid bool"),
        ("a: {every: 60s, inbox: i, outbox: o, voice: ann, cast: c.yaml}", "a cast belongs to one script"),
        ("a: {3: 4}", "keys"),
        ("../a: {every: 60s}", "is no schedule name"),
        ("\xff\xfe".encode("latin-1").decode("latin-1") + ": {", "not YAML"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "schedules.yaml").write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=said) as caught:
        read_schedules(tmp_path)
    assert "\n" not in str(caught.value) and "schedules.yaml" in str(caught.value)


def test_an_inbox_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    entry = {**BOX, "quiet": "22:00-06:00", "timezone": "Europe/Berlin"}
    add_schedule(tmp_path, "box", make_schedule("box", entry))
    assert yaml.safe_load((tmp_path / "schedules.yaml").read_text()) == {"box": entry}
    found = read_schedules(tmp_path)["box"].parameters()
    assert found == {key: entry[key] for key in ("inbox", "outbox", "voice", "quiet", "timezone")} | {
        "options": {}, "engine": "pipeline.voices:load_voice",
    }  # fmt: skip


def test_options_of_a_narration_are_kept_and_reach_the_flow(tmp_path: Path) -> None:
    options = {"formats": ["m4b", "mp3"], "loudness": "r128-18", "strict": True, "cast": "cast.yaml", "rate": 48000}
    usual = {"chapters": False, "gate": None, "mark": "none", "batch": 8}
    add_schedule(tmp_path, "book", make_schedule("book", {**SCRIPT, **options, **usual}))
    assert yaml.safe_load((tmp_path / "schedules.yaml").read_text()) == {"book": SCRIPT | options}
    parameters = read_schedules(tmp_path)["book"].parameters()
    assert parameters["options"] == options and "cron" not in parameters
    narrate_script.validate_parameters(parameters)
    assert set(NarrationOptions.model_fields) <= set(inspect.signature(narrate.fn).parameters)


def dates(schedule: Any, start: datetime, count: int) -> list[datetime]:
    """The times at which Prefect's server would start it."""
    from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule

    fields = schedule.timing()
    if fields.cron is not None:
        rule: Any = CronSchedule(cron=fields.cron, timezone=fields.timezone)
    else:
        rule = IntervalSchedule(interval=fields.interval, anchor_date=fields.anchor_date, timezone=fields.timezone)
    return asyncio.run(rule.get_dates(count, start=start))


@pytest.mark.parametrize("day", [datetime(2027, 3, 26, tzinfo=UTC), datetime(2027, 10, 29, tzinfo=UTC)])
def test_a_nightly_start_comes_once_a_day_when_clocks_change(day: datetime) -> None:
    """02:30 does not exist on one of these days in Berlin, and comes twice on the other."""
    schedule = make_schedule("a", {**SCRIPT, "cron": "30 2 * * *", "timezone": "Europe/Berlin"})
    found = dates(schedule, day, 5)
    days = [moment.date() for moment in found]
    assert len(set(days)) == 5 and days[-1] - days[0] == timedelta(days=4)


@given(st.integers(0, 10_000_000))
def test_an_interval_does_not_shift_when_the_server_starts_again(seconds: int) -> None:
    schedule = make_schedule("a", {**BOX, "every": "5m"})
    start = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    first = dates(schedule, start, 1)[0]
    assert first.minute % 5 == 0 and first.second == 0 and timedelta() <= first - start <= timedelta(minutes=5)


@given(st.integers(10, 10**6), st.sampled_from("smhd"))
def test_spans(number: int, unit: str) -> None:
    seconds = number * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]
    if seconds > 3660 * 86400:
        with pytest.raises(ValueError, match="ten years"):
            parse_every(f"{number}{unit}")
    else:
        assert parse_every(f"{number}{unit}").total_seconds() == seconds
