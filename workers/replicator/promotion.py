"""The way back of a maintenance: the standby, held before the file, becomes the side that serves.

It replays up to the note that was written on the active side right before the file, with the side
fenced already, so it has every write that was acknowledged and nothing of the file. That holds only
while the fence has stood ever since: it is asked for. Order: promote, route both doors; the undo of
`hold_traffic` opens the new side, the old one stays fenced. It is made a standby afterwards, by the
undo of `pause_standby_replay`, with traffic on the new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.environment import Colour
from shared.domain.errors import Broken
from shared.domain.lsn import Lsn
from shared.domain.migration import Job
from shared.domain.objects import STANDBY_SLOTS
from shared.ports import DirectDoor, Done, Node, Pending, Pooler, Session
from workers.replicator import fork, standby
from workers.replicator.poll import holds_within

BEFORE = "before the file"
NOTE_BEFORE = """
INSERT INTO bluegreen.applied (job, part, note)
SELECT %s, %s, jsonb_build_object('lsn', pg_current_wal_insert_lsn()::text, 'armed', false)
ON CONFLICT DO NOTHING
"""
READ_BEFORE = """
SELECT note ->> 'lsn', (note -> 'armed')::boolean FROM bluegreen.applied
WHERE job = %s AND part = %s
"""
NOTE_ARMED = """
UPDATE bluegreen.applied SET note = note || '{"armed": true}' WHERE job = %s AND part = %s
"""
HELD_SINCE = """
SELECT bluegreen.is_fenced() AND coalesce(
    (SELECT min(fenced_at) FROM bluegreen.fenced_role)
        < (SELECT at FROM bluegreen.applied WHERE job = %s AND part = %s), false)
"""
REPLAYED = "SELECT pg_last_wal_replay_lsn()::text"
LOOK_S = 3.0


def note_before(active: Session, job: Job) -> None:
    """Where the standby has to stop: the note's own record is the first that it leaves out."""
    active.execute(NOTE_BEFORE, [job.id, BEFORE])


@dataclass(frozen=True)
class Promotion:
    nodes: Mapping[Colour, Node]
    pooler: Pooler
    door: DirectDoor

    def take_over(self, job: Job) -> Done | Pending:
        """Make the held standby the side that serves; clients are held meanwhile.

        Raises Broken when it was not held before the file, or the old side was opened since.
        """
        old, standing = self.nodes[job.source], self.nodes[job.target]
        with old.session() as session:
            _check_held_since(session, job)
            if not _is_primary(standing):
                self._send_to_note(session, job)
            if not holds_within(LOOK_S, lambda: _is_primary(standing)):
                return Pending(f"{job.target} replays up to the file")
        standing.driver.clear_recovery()
        with standing.session() as session:
            slot = STANDBY_SLOTS[job.source.value]
            session.execute(standby.CREATE_SLOT, [slot, slot])
            fork.drop_slot(session, STANDBY_SLOTS[job.target.value])
        self.pooler.route_to(job.target)
        self.door.route_to(job.target)
        return Done(f"{job.target} serves, as before the file")

    def _send_to_note(self, session: Session, job: Job) -> None:
        old, standing = self.nodes[job.source], self.nodes[job.target]
        noted = session.row(READ_BEFORE, [job.id, BEFORE])
        if noted is None:
            raise Broken(f"expected a note of where {job.file_name} begins, found none")
        lsn, armed = noted
        if not armed:
            if standing.driver.is_running():
                _check_held_before(standing, lsn)
                standing.driver.stop(limit_s=fork.STOP_LIMIT_S)
            # One that is down is not asked: sent to a point that it is past, PostgreSQL refuses to
            # start ("requested recovery stop point is before consistent recovery point").
            target = fork.recovery_target(lsn)
            standing.driver.set_recovery(fork.follow(old, standing) | target, standby=True)
            session.execute(NOTE_ARMED, [job.id, BEFORE])
        standing.driver.start(limit_s=fork.START_LIMIT_S)


def _check_held_since(old: Session, job: Job) -> None:
    """Raises Broken when somebody may have written on the old side since the file began."""
    if not old.value(HELD_SINCE, [job.id, BEFORE]):
        raise Broken(
            f"expected {job.source} to be fenced since before {job.file_name}, found that it was"
            f" opened: what was written there since is not on {job.target}; nothing was promoted",
            remedy="keep what is applied, or take it back with a file of your own",
        )


def has_taken_over(active: Node, old: Node) -> bool:
    """Whether the former standby serves, so that what the old side has is given up.

    An old side that is a primary and not fenced serves itself, whoever promoted the other.
    """
    if not _is_primary(active):
        return False
    if not _is_primary(old):
        return True
    with old.session() as session:
        return bool(session.value(standby.IS_FENCED))


def _is_primary(node: Node) -> bool:
    if not node.driver.is_running():
        return False
    with node.session(database="postgres") as session:
        return not session.value(fork.IN_RECOVERY)


def _check_held_before(standing: Node, lsn: str) -> None:
    """What it has not received yet it gets from the old side, whose slots hold it."""
    with standing.session(database="postgres") as session:
        replayed = session.value(REPLAYED)
    if replayed is None or Lsn.parse(replayed) > Lsn.parse(lsn):
        raise Broken(
            f"expected {standing.colour} to be held before {lsn}, where the file begins, found it"
            f" at {replayed}: it is no way back; nothing was promoted",
            remedy="restore the rollback point, or keep what is applied",
        )
