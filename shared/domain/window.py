"""When a job may switch: `--at` (a moment) and `--window` (a time of each day or week). Pure.

`--at 2026-11-24T02:00`, `--at 02:00` (the next one), with an offset or in UTC.
`--window 22:00-06:00`, over midnight too, in UTC or in a named zone: `22:00-06:00 Europe/Berlin`;
on some days `Sat,Sun 22:00-06:00`, which are those on which it opens; several with `;`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from shared.domain.errors import Refused

ALWAYS = "always"
"""Instead of a window: at any time, whatever is configured."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = r"[A-Za-z]{3}(?:-[A-Za-z]{3})?"
_WINDOW = re.compile(
    rf"(?:(?P<days>{_DAY}(?:,{_DAY})*)\s+)?(?P<opens>\d\d:\d\d)-(?P<closes>\d\d:\d\d)"
    r"(?:\s+(?P<zone>\S+))?"
)
_TIME = re.compile(r"\d\d:\d\d(:\d\d)?")


@dataclass(frozen=True, slots=True)
class _Window:
    days: frozenset[int]
    opens: time
    closes: time
    """Of the same day, or of the next where it is not later than `opens`."""
    zone: tzinfo


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
    """`start` when it lies inside one of the windows, else when the next one opens."""
    return min(_opens(each, start) for each in _read(window))


def _opens(part: _Window, start: datetime) -> datetime:
    today = start.astimezone(part.zone).date()
    for days in range(-1, 9):
        day = today + timedelta(days=days)
        if day.weekday() not in part.days:
            continue
        begin = _moment(day, part.opens, part.zone)
        over_midnight = part.opens >= part.closes
        end = _moment(day + timedelta(days=1) if over_midnight else day, part.closes, part.zone)
        if start < end:
            return max(start, begin)
    raise AssertionError("a window opens at least once a week")


def _read(window: str) -> list[_Window]:
    found = [_WINDOW.fullmatch(text.strip()) for text in window.split(";")]
    try:
        return [_part(each) for each in found]
    except (ValueError, KeyError, OSError) as error:
        raise Refused(
            "expected a window such as 22:00-06:00 or Sat,Sun 22:00-06:00 Europe/Berlin, found "
            f"{window!r}",
            remedy="without a zone it is UTC; several stand with `;` between them",
        ) from error


def _part(found: re.Match[str] | None) -> _Window:
    if found is None:
        raise ValueError
    zone: tzinfo = ZoneInfo(found["zone"]) if found["zone"] else UTC
    return _Window(
        days=_days(found["days"] or "Mon-Sun"),
        opens=time.fromisoformat(found["opens"]),
        closes=time() if found["closes"] == "24:00" else time.fromisoformat(found["closes"]),
        zone=zone,
    )


def _days(text: str) -> frozenset[int]:
    """`Mon-Fri`, `Sat,Sun`, `Fri-Mon`: the days on which it opens, Monday is 0."""
    days: set[int] = set()
    for piece in text.split(","):
        first, _, last = piece.partition("-")
        begin, end = _DAYS.index(first.title()), _DAYS.index((last or first).title())
        days |= {(begin + more) % 7 for more in range((end - begin) % 7 + 1)}
    return frozenset(days)


def _moment(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
