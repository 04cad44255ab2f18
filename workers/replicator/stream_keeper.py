"""Streams of the live job that a lost connection stopped run again once both sides answer.

Any replicator may look at any moment: the server decides under its own locks what is meant to run
(shared/adapters/standing/standing_streams.sql), and a row that cannot be applied is left to a
person.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from shared.domain.environment import Colour
from shared.domain.errors import MigrationError
from shared.ports import Node, Session
from workers.replicator import marker

PERIOD_S = 1.0
LIMIT_S = 5.0
MEND = "SELECT bluegreen.mend_streams(%s)"
IS_UNPROVEN = "SELECT bluegreen.is_unproven(%s)"
_log = structlog.get_logger("stream-keeper")


@dataclass(frozen=True)
class StreamKeeper:
    nodes: Mapping[Colour, Node]
    live_job: Callable[[], str | None]
    """Id of the risky job that is live, None where none is. Raises Transient."""

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(PERIOD_S):
            try:
                self.look()
            except MigrationError as error:
                _log.info("stream_keeper.look_failed", reason=error.message)

    def look(self) -> list[str]:
        """One look at both sides; the streams that were started."""
        job = self.live_job()
        if job is None:
            return []
        started = []
        for node in self.nodes.values():
            try:
                with node.session(limit_s=LIMIT_S) as session:
                    started += mend(session, job)
                    is_unproven = session.value(IS_UNPROVEN, [job])
                if is_unproven:
                    self._send_something(node.colour)
            except MigrationError as error:
                _log.info("stream_keeper.away", side=node.colour.value, reason=error.message)
        return started

    def _send_something(self, to: Colour) -> None:
        """So that a stream which runs moves on from where it was started, also in an hour without
        writes."""
        with self.nodes[to.other].session(limit_s=LIMIT_S) as session:
            session.rows(marker.WRITE, [f"again {uuid.uuid4()}"])


def mend(session: Session, job: str) -> list[str]:
    """Start that side's streams again where only a connection was lost; which ones."""
    started = list(session.value(MEND, [job]) or ())
    if started:
        _log.warning("stream_keeper.mended", streams=started, job=job)
    return started
