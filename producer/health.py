"""`bluegreen health`: every check made now from here, in the guide's three groups, and the alerts.

The monitor that never stops makes the same checks; here they are made also when it is dead.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from producer.configuration import Configuration
from producer.exit_codes import ExitCode
from producer.output import Output
from producer.store import settings_of
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.health_store import HealthStore, RaisedAlert
from shared.adapters.health.checks import HealthChecks
from shared.domain.errors import MigrationError
from shared.domain.health import CheckResult

NOTICE_S = 0.1
"""How soon a Ctrl-C is noticed between two looks."""
AVAILABILITY = ("blue.available", "green.available", "control.", "redis.", "door.", "agent.",
                "pooler.console")  # fmt: skip
"""What a service answers, by the beginning of the check's name."""
PERFORMANCE = ("pooler.", "blue.", "green.", "door.response_time")
"""Fullness and waiting; all else is about the data's integrity."""
INTEGRITY = (".retained_wal",)


def group_of(name: str) -> str:
    """`availability`, `performance` or `integrity`."""
    if name.startswith(AVAILABILITY) and name != "door.response_time":
        return "availability"
    if name.startswith(PERFORMANCE) and not name.endswith(INTEGRITY):
        return "performance"
    return "integrity"


def code_of(results: Sequence[CheckResult]) -> ExitCode:
    """0 when all is well, 69 when something does not answer, 7 when it answers and is not well."""
    bad = [result for result in results if not result.healthy]
    if any(group_of(result.name) == "availability" for result in bad):
        return ExitCode.UNREACHABLE
    return ExitCode.NEEDS_OPERATOR if bad else ExitCode.DONE


def health(configuration: Configuration, output: Output, *, every_s: float | None) -> ExitCode:
    """One look, or one every `every_s` seconds until Ctrl-C, or until nobody reads.

    Raises Refused without a stack.
    """
    settings = settings_of(configuration)
    database = ControlDatabase(
        settings, application_name="bluegreen/health", agent="health-monitor"
    )
    checks = HealthChecks(settings, database)
    with closing(checks):
        if every_s is None:
            return _look(checks, database, output)
        with _asked_to_end() as asked:
            while True:
                _look(checks, database, output)
                until = time.monotonic() + every_s
                while not asked and time.monotonic() < until:
                    time.sleep(NOTICE_S)
                if asked:
                    raise KeyboardInterrupt
                if not output.is_heard:
                    return ExitCode.DONE


@contextmanager
def _asked_to_end() -> Iterator[list[int]]:
    """Filled by the first Ctrl-C; a second one interrupts at once.

    A look holds locks of the libraries that it works with: interrupted there, closing them hangs.
    """
    asked: list[int] = []

    def heard(signum: int, _frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(signum)

    before = signal.signal(signal.SIGINT, heard)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def _look(checks: HealthChecks, database: ControlDatabase, output: Output) -> ExitCode:
    results = checks.look()
    alerts = _alerts(database)
    code = code_of(results)
    output.document(document(results, alerts, code))
    if not output.as_json:
        output.say(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
        for group in ("availability", "performance", "integrity"):
            output.say(group)
            for result in results:
                if group_of(result.name) == group:
                    output.say(_line(result))
        for alert in alerts:
            output.say(f"alert {alert.name} since {alert.raised_at:%F %H:%M}: {alert.sentence}")
    return code


def _alerts(database: ControlDatabase) -> list[RaisedAlert]:
    """None where the control database is away: the check of it says so already."""
    try:
        return HealthStore(database).raised()
    except MigrationError:
        return []


def document(
    results: Sequence[CheckResult], alerts: Sequence[RaisedAlert], code: ExitCode
) -> dict[str, Any]:
    return {
        "healthy": code is ExitCode.DONE,
        "checks": [{**asdict(result), "group": group_of(result.name)} for result in results],
        "alerts": [
            {
                "name": alert.name,
                "severity": alert.severity,
                "sentence": alert.sentence,
                "raisedAt": alert.raised_at.isoformat(),
            }
            for alert in alerts
        ],
        "exitCode": int(code),
    }


def _line(result: CheckResult) -> str:
    state = "ok" if result.healthy else result.severity.upper()
    return f"  {state:<9} {result.name:<26} {result.sentence}"
