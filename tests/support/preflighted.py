"""Preflight on a stack, and how long to look for a refusal or a warning that takes a moment."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.adapters.drivers.node_factory import make_nodes
from shared.adapters.pooler.pooler_facts import read_pooler
from shared.domain.errors import Refused
from tests.support.stack import Stack, running_stack
from tests.support.steps import a_job, done
from tests.support.wait import until
from workers.health_monitor.steps.preflight import Preflight

JOB = a_job()


@dataclass
class Notes:
    """Observations, in memory."""

    kept: dict[tuple[str, str], dict[str, object]] = field(default_factory=dict)

    def seen(self, job: str, key: str) -> dict[str, object] | None:
        return self.kept.get((job, key))

    def note(self, job: str, key: str, body: dict[str, object]) -> None:
        self.kept[job, key] = body


class QuickDoor:
    def round_trip_ms(self, *, limit_s: float) -> float:
        return 1.0


@contextmanager
def stack_of_users() -> Iterator[Stack]:
    """A stack whose application has one table."""
    with running_stack() as stack:
        with stack.connect("app") as connection:
            connection.execute("CREATE TABLE users (id bigserial PRIMARY KEY, name text)")
        yield stack


def sound_preflight(stack: Stack) -> Preflight:
    """Where every test begins: what the one before took back has reached every process, and the
    standby streams again."""
    made = Preflight(
        nodes=make_nodes(stack.settings, "bg_health"),
        read_pooler=lambda: read_pooler(stack.settings),
        door=QuickDoor(),
        observations=Notes(),
        application_role="app",
        exempt=("postgres",),
        now=lambda: datetime.now(UTC),
    )
    until(lambda: _passes(made), limit_s=30, what="preflight passes while nothing is wrong")
    return made


def _passes(preflight: Preflight) -> bool:
    with suppress(Refused):
        done(preflight, a_job(id=f"before {time.monotonic()}"))
        return True
    return False


def refused_within(preflight: Preflight, *, limit_s: float) -> Refused:
    """A reload takes a moment until every process knows of it."""
    deadline = time.monotonic() + limit_s
    while True:
        try:
            done(preflight, JOB.model_copy(update={"id": f"job {time.monotonic()}"}))
        except Refused as refusal:
            return refusal
        assert time.monotonic() < deadline, "preflight goes on passing"


def warnings_within(preflight: Preflight, says: str, *, limit_s: float = 5) -> list[str]:
    """What a job that may begin carries with it; looks until the warning is among them."""
    deadline = time.monotonic() + limit_s
    while True:
        job = JOB.model_copy(update={"id": f"job {time.monotonic()}"})
        warnings = list(done(preflight, job).facts["warnings"])
        if any(re.search(says, warning) for warning in warnings):
            return warnings
        assert time.monotonic() < deadline, (says, warnings)
