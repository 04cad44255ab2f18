"""A server that was taken over from becomes the standing standby again, without anybody's asking.

Works while no job is live: a job brings its own servers to where they belong. What is to be done is
asked of the side that serves (`bluegreen.failover`), so any replicator goes on where one died.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from shared.domain.environment import Colour
from shared.domain.errors import MigrationError
from shared.domain.kinds import Kind
from shared.domain.migration import Job, RunOptions
from shared.ports import Done, Node
from workers.replicator import fork, standby

PERIOD_S = 5.0
KNOWS_ITS_TIMELINE = """
SELECT timeline_id = ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int
FROM pg_control_checkpoint()
"""
RECEIVED_TIMELINE = "SELECT received_tli FROM pg_stat_wal_receiver"
TIMELINE = "SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int"
UNHEALED = """
SELECT dead, extract(epoch FROM at)::bigint FROM bluegreen.failover WHERE healed_at IS NULL
ORDER BY at DESC LIMIT 1
"""
HEALED = "UPDATE bluegreen.failover SET healed_at = clock_timestamp() WHERE healed_at IS NULL"
_log = structlog.get_logger("caretaker")


@dataclass(frozen=True)
class Caretaker:
    nodes: Mapping[Colour, Node]
    database: str
    has_live_job: Callable[[], bool]

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(PERIOD_S):
            try:
                self.look()
            except MigrationError as error:
                _log.warning("caretaker.look_failed", reason=error.message)

    def look(self) -> bool:
        """One look, and the next act. True when nothing is left to do."""
        for colour, active in self.nodes.items():
            try:
                with active.session(limit_s=fork.START_LIMIT_S) as session:
                    if session.value(fork.IN_RECOVERY) or session.value(standby.IS_FENCED):
                        continue
                    found = session.row(UNHEALED)
                    if found is None or found[0] != colour.other:
                        return True
                    if self.has_live_job():
                        return False
                    job = self._as_job(colour, found[1])
                    node = self.nodes[colour.other]
                    away = not standby.streams(node, session)
                    if away and not session.value(KNOWS_ITS_TIMELINE):
                        # Until its first checkpoint a promoted server's control file names the old
                        # timeline, and pg_rewind before 16 then finds nothing to rewind.
                        session.execute("CHECKPOINT")
                    answer = standby.make_standby(
                        node, active, session, job, diverged=away, prefer="rewind"
                    )
                    if not isinstance(answer, Done):
                        _log.info("caretaker.pending", said=answer.sentence)
                        return False
                    with node.session(database="postgres") as follower:
                        if follower.value(RECEIVED_TIMELINE) != session.value(TIMELINE):
                            return False
                    session.execute(HEALED)
                    _log.warning("caretaker.done", said=answer.sentence)
                    return True
            except MigrationError as error:
                _log.info("caretaker.away", side=colour.value, reason=error.message)
        return False

    def _as_job(self, active: Colour, number: int) -> Job:
        """What the deeds are named after."""
        return Job(
            id=f"failover-{number}", database=self.database, kind=Kind.RISKY,
            file_name="failover", sql="", options=RunOptions(), source=active.other, epoch=0,
            attempt=1,
        )  # fmt: skip
