"""When a job may switch: `--at` (a moment) and `--window` (a time of each day). Pure.

`--at 2026-11-24T02:00`, `--at 02:00` (the next one), with an offset or in UTC.
`--window 22:00-06:00`, over midnight too, in UTC or in a named zone: `22:00-06:00 Europe/Berlin`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from shared.domain.errors import Refused

_WINDOW = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d)(?:\s+(\S+))?")
_TIME = re.compile(r"\d\d:\d\d(:\d\d)?")


def opens_at(at: str | None, window: str | None, now: datetime) -> datetime:
    """The earliest moment, in UTC, at which both hold; `now` or earlier when they hold now.

    Raises Refused for a text of another form.
    """
    start = now if at is None else moment(at, now)
    return start if window is None else _next_in(window, max(start, now))


def moment(at: str, now: datetime) -> datetime:
    """The moment that `--at` names: a time of day is the first after `now`.

    For a job that waits, `now` moves on; so a time of day must be made a moment when it is asked.
    """
    try:
        if _TIME.fullmatch(at.strip()):
            today = datetime.combine(
                now.astimezone(UTC).date(), time.fromisoformat(at.strip()), UTC
            )
            return today if today >= now else today + timedelta(days=1)
        found = datetime.fromisoformat(at.strip())
    except ValueError as error:
        raise Refused(
            f"expected a time such as 2026-11-24T02:00+01:00 or 02:00, found {at!r}",
            remedy="without an offset it is UTC",
        ) from error
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _next_in(window: str, start: datetime) -> datetime:
    """`start` when it lies inside the window, else when the window opens next."""
    opens, closes, zone = _read(window)
    day = start.astimezone(zone).date()
    for near in (day - timedelta(days=1), day, day + timedelta(days=1)):
        begin = _moment(near, opens, zone)
        end = _moment(near if opens < closes else near + timedelta(days=1), closes, zone)
        if start < end:
            return max(start, begin)
    raise AssertionError("a window opens every day")


def _read(window: str) -> tuple[time, time, tzinfo]:
    found = _WINDOW.fullmatch(window.strip())
    try:
        if found is None:
            raise ValueError
        opens, closes = time.fromisoformat(found[1]), time.fromisoformat(found[2])
        zone: tzinfo = ZoneInfo(found[3]) if found[3] else UTC
    except (ValueError, KeyError, OSError) as error:
        raise Refused(
            f"expected a window such as 22:00-06:00 or 22:00-06:00 Europe/Berlin, found {window!r}",
            remedy="without a zone it is UTC",
        ) from error
    return opens, closes, zone


def _moment(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
