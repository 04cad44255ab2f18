"""A stack over whose servers a test watches as the failover thread does, and lets them die."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.drivers.node_factory import make_nodes
from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.layout import Layout
from shared.adapters.pooler.poolers import poolers_of
from shared.domain.environment import Colour
from shared.domain.failover import Policy
from shared.monitor_settings import FailoverSettings
from tests.support.stack import Stack, running_stack
from tests.support.wait import until
from tests.support.watched import Watched, watching
from tests.support.writers import TABLES
from workers.health_monitor.failover.deed import Failover
from workers.health_monitor.failover.watch import ALERT, FailoverWatch
from workers.replicator.caretaker import Caretaker


@dataclass
class FailoverPair:
    stack: Stack
    watched: Watched
    caretaker: Caretaker
    watches: list[FailoverWatch] = field(default_factory=list)

    @property
    def active(self) -> Colour:
        return poolers_of(self.stack.settings).routed_to()

    @property
    def supervised(self) -> ControlFiles:
        return ControlFiles(Layout(self.stack.state_dir).supervisor)

    def watch(self, policy: Policy, *, after_s: float = 3) -> FailoverWatch:
        settings = self.stack.settings
        nodes, door = make_nodes(settings, "bg_health"), SymlinkDoor(settings)
        watch = FailoverWatch(
            nodes, Failover(nodes, poolers_of(settings), door), self.watched.book,
            FailoverSettings(policy=policy, after_s=after_s), door.routed_to,
        )  # fmt: skip
        self.watches.append(watch)
        return watch

    def sql(self, side: Colour, statement: str) -> list[tuple]:  # type: ignore[type-arg]
        with self.stack.connect(side.value) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def dies(self, side: Colour) -> None:
        """At once, as when its host is switched off, and nobody starts it again."""
        self.supervised.want(side.value, "stopped at once")
        until(lambda: self.stack.pid(side.value) is None, limit_s=20, what=f"{side} is dead")

    def loses_its_wal(self, side: Colour) -> None:
        """As when its disk is gone: nobody can read what it wrote."""
        data = self.stack.settings.nodes[side].data_dir
        assert data is not None
        (data / "pg_wal").rename(data / "pg_wal.gone")

    def looks_until_it_serves(self, watch: FailoverWatch, side: Colour) -> float:
        """Looks every second, as the thread does; seconds until a client could write there."""
        began = time.monotonic()
        while time.monotonic() - began < 60:
            look_at = time.monotonic()
            verdict = watch.look()
            if self.active is side:
                break
            time.sleep(max(0.0, 1 - (time.monotonic() - look_at)))
        else:
            raise AssertionError(f"{side} never served: {verdict}")
        self.stack.until_answers("app")
        return time.monotonic() - began

    def is_told(self, watch: FailoverWatch) -> bool:
        """One look; whether the alert was raised by now."""
        watch.look()
        time.sleep(0.5)
        return self.watched.stream.types(ALERT) == ["AlertRaised"]

    def written(self) -> set[tuple[int, int]]:
        """What stands in the journal of the side that serves."""
        return set(self.sql(self.active, "SELECT writer, n FROM journal"))

    def cut_off(self) -> None:
        """The active side commits, and its standby hears nothing: the walsender is frozen."""
        rows = self.sql(self.active, "SELECT pid FROM pg_stat_replication WHERE state='streaming'")
        for (pid,) in rows:
            os.kill(pid, signal.SIGSTOP)
        assert rows

    def is_at_rest(self) -> bool:
        active = self.active
        if self.stack.pid(active.value) is None:
            return False
        rows = self.sql(active, "SELECT state FROM pg_stat_replication")
        return self.caretaker.look() and ("streaming",) in rows


@contextmanager
def failover_pair(place: Path) -> Iterator[FailoverPair]:
    """A stack of its own with tables for `Writers`; without agents."""
    with running_stack() as stack, watching(stack, place) as watched:
        with stack.connect("app") as app:
            app.execute(TABLES)
        nodes = make_nodes(stack.settings, "bg_replicator")
        pair = FailoverPair(stack, watched, Caretaker(nodes, "app", lambda: False))
        try:
            yield pair
        finally:
            for watch in pair.watches:
                watch.close()
