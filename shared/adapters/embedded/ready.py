"""Wait until a part of the stack answers, each with a limit and a reason when it does not."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Sequence, Set
from pathlib import Path

import psycopg
import redis
from kombu.exceptions import OperationalError

from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.layout import Layout
from shared.adapters.embedded.postmaster import READY, read_postmaster
from shared.adapters.postgres import translate
from shared.adapters.queue.celery_app import celery_app
from shared.domain.errors import MigrationError, Transient
from shared.settings import Settings

POLL_S = 0.02
LIMIT_S = 60.0
PING_S = 0.5


def until(
    answers: Callable[[], bool], what: str, *, limit_s: float = LIMIT_S, log: Path | None = None
) -> None:
    """Poll; raises Transient that says what was waited for, with the last line of its log."""
    deadline = time.monotonic() + limit_s
    while not answers():
        if time.monotonic() > deadline:
            said = f"; its log ends with: {last_words(log)}" if log is not None else ""
            raise Transient(f"expected {what} within {limit_s:.0f} s{said}")
        time.sleep(POLL_S)


def last_words(log: Path) -> str:
    """The last line of a child's log; of a PostgreSQL server the newest of that and of the JSON
    log that it writes once it stands (directory of the same name)."""
    written = [log, *log.with_suffix("").glob("*.json")]
    newest = max((path for path in written if path.exists()), key=_changed, default=log)
    try:
        lines = newest.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return "(no log)"
    if newest.suffix != ".json":
        return lines[-1] if lines else "(empty)"
    for line in reversed(lines):
        said = json.loads(line)
        if said.get("error_severity") in ("FATAL", "PANIC", "ERROR"):
            return f"{said['error_severity']}: {said['message']}"
    return "(no error)"


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns


def server_is_ready(layout: Layout, name: str) -> bool:
    """Whether that PostgreSQL server runs under the supervisor, and accepts or recovers."""
    status = ControlFiles(layout.supervisor).status(name)
    found = read_postmaster(layout.server(name).data)
    return (
        status.is_running
        and found is not None
        and found.pid == status.pid
        and found.status in READY
    )


def wait_for_server(layout: Layout, name: str) -> None:
    until(
        lambda: server_is_ready(layout, name),
        f"PostgreSQL server {name} to start",
        log=layout.logs / f"{name}.log",
    )


def wait_for_child(layout: Layout, name: str) -> None:
    """For those that can only be seen to run."""
    control = ControlFiles(layout.supervisor)
    until(
        lambda: control.status(name).is_running, f"{name} to run", log=layout.logs / f"{name}.log"
    )


def wait_for_door(dsn: str, cluster_name: str, what: str, log: Path) -> None:
    """A transaction through a door reaches the server of that name."""
    last: list[MigrationError] = []

    def answers() -> bool:
        try:
            with psycopg.connect(dsn, connect_timeout=3, prepare_threshold=None) as connection:
                found = connection.execute("SELECT current_setting('cluster_name')").fetchone()
        except psycopg.Error as error:
            last[:] = [translate(error)]
            return False
        return found is not None and found[0] == cluster_name

    try:
        until(answers, f"{what} to lead to {cluster_name}", limit_s=30, log=log)
    except Transient as error:
        reason = f" ({last[0].message})" if last else ""
        raise Transient(f"{error.message}{reason}") from error


def wait_for_port(layout: Layout, name: str, host: str, port: int) -> None:
    """A child listens where it should."""
    wait_for_child(layout, name)

    def answers() -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex((host, port)) == 0

    until(answers, f"{name} to listen on {host}:{port}", log=layout.logs / f"{name}.log")


def wait_for_agents(
    layout: Layout, settings: Settings, agents: Sequence[str], *, limit_s: float = LIMIT_S
) -> None:
    """Each agent waits at its queue: an answer to a broadcast comes back from its worker."""
    silent = set(agents)
    unasked: Exception | None = None

    def answer() -> bool:
        nonlocal unasked
        try:
            replies = app.control.ping(timeout=PING_S, limit=len(agents)) or ()
        except (OperationalError, redis.RedisError) as error:
            unasked = error
            return False
        unasked = None
        for reply in replies:
            silent.difference_update(name.partition("@")[0] for name in reply)
        return not silent

    with celery_app(settings) as app:
        try:
            until(answer, "every agent to answer", limit_s=limit_s)
        except Transient as error:
            if unasked is not None:
                raise _mute_redis(layout, f"{error.message}, found Redis: {unasked}") from error
            raise _silent_agents(layout, error.message, silent) from error


def _mute_redis(layout: Layout, message: str) -> Transient:
    """One that is dead is started again by the supervisor; one that is frozen is not dead."""
    pid = ControlFiles(layout.supervisor).status("redis").pid
    frozen = f"if it is frozen, `kill -9 {pid}` and it is started again; " if pid else ""
    return Transient(message, remedy=f"{frozen}{layout.logs / 'redis.log'} says more")


def _silent_agents(layout: Layout, message: str, silent: Set[str]) -> Transient:
    first = min(silent)
    said = last_words(layout.logs / f"{first}.log")
    starts = ControlFiles(layout.supervisor).status(first).starts
    return Transient(
        f"{message}; silent: {', '.join(sorted(silent))}; {first} was started "
        f"{starts} times, its log ends with: {said}"
    )
