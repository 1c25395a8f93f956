"""Quiet hours by the clock on the wall, on every day of the year and whatever the computer's clock does."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.scheduling.postpone import quiet_until
from pipeline.scheduling.quiet import Quiet, parse_quiet, parse_zone

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns"]
SPRING, AUTUMN = datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)  # Berlin's changes
near_changes = st.sampled_from([SPRING, AUTUMN]).flatmap(
    lambda change: st.integers(-2 * 86400, 2 * 86400).map(lambda seconds: change + timedelta(seconds=seconds))
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)) | near_changes
minutes = st.integers(0, 1439)
quiets = (
    st.tuples(minutes, minutes, st.sampled_from(ZONES))
    .filter(lambda parts: parts[0] != parts[1])
    .map(lambda parts: Quiet(parts[0], parts[1], ZoneInfo(parts[2])))
)


def text_of(quiet: Quiet) -> str:
    return f"{quiet.start // 60:02d}:{quiet.start % 60:02d}-{quiet.end // 60:02d}:{quiet.end % 60:02d}"


def on_the_wall(moment: datetime, quiet: Quiet) -> str:
    return f"{moment.astimezone(quiet.zone):%H:%M}"


@given(quiets, moments)
def test_a_moment_is_quiet_when_the_wall_clock_says_so(quiet: Quiet, moment: datetime) -> None:
    start, end = text_of(quiet).split("-")
    now = on_the_wall(moment, quiet)
    inside = start <= now < end if start < end else not end <= now < start
    assert quiet.holds(moment) == inside
    assert parse_quiet(text_of(quiet), str(quiet.zone)) == quiet


@given(quiets, moments)
@example(Quiet(60, 150, ZoneInfo("Europe/Berlin")), SPRING - timedelta(minutes=10))  # its end is skipped
@example(Quiet(60, 150, ZoneInfo("Europe/Berlin")), AUTUMN + timedelta(minutes=10))  # its end comes twice
@example(Quiet(180, 120, ZoneInfo("Europe/Berlin")), SPRING)  # the only free hour is skipped
def test_quiet_hours_are_over_at_the_first_moment_that_is_free(quiet: Quiet, moment: datetime) -> None:
    end = quiet.over(moment)
    assert end >= moment and not quiet.holds(end)
    if not quiet.holds(moment):
        assert end == moment
        return
    assert (end.second, end.microsecond) == (0, 0)
    assert quiet.holds(end - timedelta(microseconds=1))
    assert end - moment <= timedelta(hours=49)
    step = (end - moment) / 200
    assert all(quiet.holds(moment + number * step) for number in range(200))


def test_the_days_of_the_change_in_berlin() -> None:
    night = parse_quiet("22:00-06:00", "Europe/Berlin")
    assert night.over(SPRING) == datetime(2027, 3, 28, 4, tzinfo=UTC)  # 06:00 in summer time
    assert night.over(AUTUMN) == datetime(2027, 10, 31, 5, tzinfo=UTC)  # 06:00 in winter time
    gap = parse_quiet("01:00-02:30", "Europe/Berlin")
    assert gap.over(SPRING - timedelta(minutes=1)) == SPRING  # 02:30 does not come; it is 03:00 at once


@given(quiets, moments, st.lists(st.integers(60, 5000), min_size=1, max_size=12), st.data())
def test_whatever_the_clock_does_nothing_starts_in_quiet_hours_and_nothing_is_lost(
    quiet: Quiet, begin: datetime, gaps: list[int], data: st.DataObject
) -> None:
    """A server in small: runs start when the clock has reached their time; the clock jumps by hours meanwhile."""
    dues = [begin + timedelta(seconds=sum(gaps[:count])) for count in range(len(gaps))]
    waiting, made, started, clock = list(dues), set[datetime](), list[tuple[datetime, datetime]](), begin
    while waiting:
        waiting.sort()
        due = waiting.pop(0)
        jump = timedelta(hours=data.draw(st.sampled_from([0, 0, 0, 1, -1])))
        clock = max(clock + jump, due)  # a server starts nothing before its time
        late_back = clock + timedelta(hours=data.draw(st.sampled_from([0, 0, -1])))  # set back just before the look
        later = quiet_until(text_of(quiet), str(quiet.zone), late_back, due)
        if later is None:
            assert not quiet.holds(max(late_back, due))
            started.append((due, max(late_back, due)))
        else:
            assert later > due, "a run must not wait for itself"
            if later not in made:
                made.add(later)
                waiting.append(later)
    assert all(any(start >= due for _, start in started) for due in dues)
    assert len(started) <= len(dues)


def test_without_quiet_hours_nothing_is_held_up() -> None:
    assert quiet_until(None, "UTC", SPRING) is None


@pytest.mark.parametrize("text", ["", "8-20", "08:00", "24:00-08:00", "08:60-09:00", "08:00-08:00", "00:00-24:00"])
def test_other_texts_are_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(text))):
        parse_quiet(text)


@pytest.mark.parametrize("name", ["Mars/Base", "", "../../etc/passwd", "/etc/localtime", "Europe", "a\0b", "x" * 5000])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no time zone"):
        parse_zone(name)


def test_a_quiet_part_may_end_at_midnight() -> None:
    assert parse_quiet("20:00-24:00") == Quiet(1200, 0, ZoneInfo("UTC"))
