"""What ended jobs left in the standing schema of the servers goes with its age.

Works while no job is live, on the side that serves; its standby has it from there. What is old is
asked anew each time, so a round that dies is gone on with by the next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from shared.domain.environment import Colour
from shared.domain.errors import MigrationError
from shared.ports import Node
from workers.replicator import fork, standby

PERIOD_S = 3600.0
FORGET = "SELECT bluegreen.forget_old(%s)"
_log = structlog.get_logger("left_behind")


@dataclass(frozen=True)
class LeftBehind:
    nodes: Mapping[Colour, Node]
    has_live_job: Callable[[], bool]
    days: Callable[[], float]
    """Asked anew each time, so that another limit counts without a restart."""

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self.go()
            except MigrationError as error:
                _log.warning("left_behind.round_failed", reason=error.message)
            stop.wait(PERIOD_S)

    def go(self) -> int:
        """One round; how many rows went. Raises what the control database or the settings raise."""
        if self.has_live_job():
            return 0
        days, gone = self.days(), 0
        for colour, node in self.nodes.items():
            try:
                with node.session(limit_s=fork.START_LIMIT_S) as session:
                    if not session.value(fork.IN_RECOVERY) and not session.value(standby.IS_FENCED):
                        gone += int(session.value(FORGET, (days,)) or 0)
            except MigrationError as error:  # it is away, or its schema is older than this program
                _log.info("left_behind.not_looked_at", side=colour.value, reason=error.message)
        if gone:
            _log.info("left_behind.forgotten", rows=gone, days=days)
        return gone
