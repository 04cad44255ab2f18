"""`bluegreen prune`: what of ended jobs is older than the retention, and its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from producer.configuration import Configuration
from producer.output import Output
from producer.person import person
from producer.render import stamp
from producer.store import open_store, settings_of
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.retention_store import Expired, RetentionStore
from shared.domain.counted import counted


def prune(
    configuration: Configuration, output: Output, days: float | None, *, dry_run: bool
) -> None:
    """Raises Transient without the control database; a repeat goes on where it died."""
    settings = settings_of(configuration)
    open_store(settings)
    days = settings.retention.job_days if days is None else days
    database = ControlDatabase(settings, application_name="bluegreen/producer", agent="producer")
    store = RetentionStore(database)
    expired = store.expired(days)
    for each in expired:
        output.say(line(each))
    jobs, others = (0, 0) if dry_run else store.remove(days, by=person())
    if dry_run:
        output.say("nothing was removed" if expired else f"nothing is older than {days:g} days")
    else:
        output.say(f"removed: details of {counted(jobs, 'job')}, {counted(others, 'other row')}")
    output.document(document(days, expired, jobs, others))


def line(each: Expired) -> str:
    return f"{each.found:>8,}  {each.what}, the oldest of {_day(each.oldest)}"


def document(days: float, expired: Sequence[Expired], jobs: int, others: int) -> dict[str, Any]:
    return {
        "days": days,
        "expired": [
            {"what": each.what, "count": each.found, "oldest": stamp(each.oldest)}
            for each in expired
        ],
        "removed": {"jobs": jobs, "others": others},
    }


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "unknown"
