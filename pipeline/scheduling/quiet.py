"""Quiet hours: the part of the day, by the clock on the wall, in which no narration starts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24:00))")
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Quiet:
    """From `start` up to but not including `end`, in minutes since midnight (0 to 1439); past midnight if end < start.

    The clock on the wall decides, so on the day that clocks are set back a quiet hour may come twice.
    """

    start: int
    end: int
    zone: ZoneInfo

    def holds(self, moment: datetime) -> bool:
        """True when `moment` (with a time zone) is quiet."""
        local = moment.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    def over(self, moment: datetime) -> datetime:
        """The first moment from `moment` on that is not quiet: itself, or a full minute in UTC.

        Minutes are tried one after another, which is right whatever the clocks do meanwhile, and takes milliseconds.
        """
        if not self.holds(moment):
            return moment
        found = moment.astimezone(UTC).replace(second=0, microsecond=0)
        while self.holds(found):
            found += MINUTE
        return found


def parse_zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name, as Europe/Berlin. Raises ValueError for another text."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # KeyError: unknown; the others: a path or a folder of zones
        raise ValueError(f"{name!r} is no time zone such as UTC or Europe/Berlin") from error


def parse_quiet(text: str, zone: str = "UTC") -> Quiet:
    """ "08:00-20:00", "22:00-06:30", "20:00-24:00" as Quiet. Raises ValueError naming the rule."""
    match = HOURS.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no part of a day such as 08:00-20:00 or 22:00-06:00")
    start = int(match[1]) * 60 + int(match[2])
    end = 0 if match[5] else int(match[3]) * 60 + int(match[4])
    if start == end:
        raise ValueError(f"{text!r} leaves no time, or all of it: start and end are the same")
    return Quiet(start, end, parse_zone(zone))
