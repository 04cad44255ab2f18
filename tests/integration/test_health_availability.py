"""Who is away, frozen, slow or leads nowhere is told, and that it is back is told too."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.layout import Layout
from tests.support.disturbances import away, slow
from tests.support.stack import Stack, running_stack
from tests.support.watched import RAISED, Watching


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        yield stack


@pytest.mark.parametrize(
    ("child", "check"),
    [
        ("blue", "blue.available"),
        ("green", "green.available"),
        ("redis", "redis.available"),
        ("pgbouncer", "door.pooled"),
        ("pgbouncer", "pooler.console"),
        ("nginx", "door.direct"),
        ("control", "control.available"),
    ],
)
def test_what_is_away_is_told_and_so_is_its_return(
    watch: Watching, stack: Stack, child: str, check: str
) -> None:
    watched = watch()
    watched.is_well(check)
    with away(stack, child):
        watched.raises(check)
    watched.clears(check)


def test_a_frozen_server_is_told_though_its_port_still_answers(
    watch: Watching, stack: Stack
) -> None:
    watched = watch()
    watched.is_well("green.available")
    pid = stack.pid("green")
    assert pid is not None
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    frozen = [pid, *(int(child) for child in children)]
    for each in frozen:
        os.kill(each, signal.SIGSTOP)
    try:
        watched.raises("green.available")
    finally:
        for each in frozen:
            os.kill(each, signal.SIGCONT)
    watched.clears("green.available")


def test_a_slow_door_is_told_by_its_response_time(watch: Watching, stack: Stack) -> None:
    watched = watch(limits={"response_ms": 250})
    watched.is_well("door.response_time")
    pid = stack.pid("pgbouncer")
    assert pid is not None
    with slow(pid):
        watched.raises("door.response_time")
    watched.clears("door.response_time")


def test_connections_that_lead_nowhere_are_told_from_the_access_log(
    watch: Watching, stack: Stack
) -> None:
    """nginx answers, and its way on to the pooler is closed."""
    watched = watch()
    watched.is_well("door.access_log")
    with away(stack, "pgbouncer"):
        watched.raises("door.access_log")
    watched.clears("door.access_log", between_s=0.3)


def test_an_agent_that_runs_no_task_is_told_by_its_name(watch: Watching, stack: Stack) -> None:
    watched = watch(agent_limit_s=2)
    control = ControlFiles(Layout(stack.state_dir).supervisor)
    control.want("validator", "running")
    try:
        watched.looks_until(lambda: watched.last.get("agent.validator") is not None and
                            watched.last["agent.validator"].healthy)  # fmt: skip
        watched.looks_until(lambda: watched.stream.types("agent.backup") == [RAISED])
        told = len(watched.stream.types("agent.validator"))
        with away(stack, "validator"):
            watched.looks_until(
                lambda: watched.stream.types("agent.validator")[told:][-1:] == [RAISED]
            )
        watched.looks_until(lambda: watched.stream.types("agent.validator")[-1] == "AlertCleared")
    finally:
        control.want("validator", "stopped at once")


def test_the_manual_has_every_check(watch: Watching, stack: Stack) -> None:
    watched = watch()
    watched.look()
    watched.look()
    manual = Path("docs/monitoring.md").read_text(encoding="utf-8")
    for name in watched.last:
        of_a_server = name.replace("green.", "blue.")
        shown = "agent.<name>" if name.startswith("agent.") else of_a_server
        assert f"`{shown}`" in manual, name
