"""Green is writable, stands at one known point of the source's history, and serves nobody yet.

Guarantee: the forward slot holds every change since the fork LSN; green has every one before it.
           Where no standby stands it is made first, by a base backup (docs/adr/0013); where only
           an address is known, green is copied through SQL instead (workers/replicator/copying.py).
Repeats:   each part looks first; the fork LSN is written before it is used (fork.py).
Undo:      green becomes a standby again, or is emptied where it was copied; then slot, guard and
           publication are dropped.
Fails with Broken when somebody else promoted the standby, or undoing would end what serves.
Source:    PostgreSQL manual, "Recovery Target" and "Replication Slots".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from shared.domain import facts
from shared.domain.environment import Colour
from shared.domain.errors import Broken, Transient
from shared.domain.identifiers import ident
from shared.domain.lsn import Lsn
from shared.domain.migration import Job
from shared.domain.objects import FORWARD, GUARD, STANDBY_SLOTS
from shared.mapping.model import Mapping as TableMapping
from shared.mapping.publication import forward_publication
from shared.ports import Done, Node, Pending, Session
from workers.replicator import fork, standby
from workers.replicator.copy_green import CopyGreen
from workers.replicator.poll import holds_within

PROMOTION_LIMIT_S = 3.0
HAS_PUBLICATION = "SELECT count(*) = 1 FROM pg_publication WHERE pubname = %s"
HAS_SLOT = "SELECT count(*) = 1 FROM pg_replication_slots WHERE slot_name = %s"
SOURCE_IS_READY = """
SELECT count(*) FILTER (WHERE slot_name = %s) = 1 AND count(*) FILTER (WHERE slot_name = %s) = 1
   AND count(*) FILTER (WHERE slot_name = %s) = 0
FROM pg_replication_slots
"""
GREEN_IS_READY = """
SELECT NOT pg_is_in_recovery()
   AND NOT EXISTS (SELECT FROM pg_file_settings WHERE name = 'recovery_target_lsn')
   AND NOT EXISTS (SELECT FROM pg_publication WHERE pubname = %s)
   AND EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %s)
"""
LAST_HISTORY = """
SELECT pg_read_file('pg_wal/' || name) FROM pg_ls_waldir() WHERE name LIKE '%.history'
ORDER BY name DESC LIMIT 1
"""
LEFT = re.compile(r"\t([0-9A-F/]+)\tbefore LSN ([0-9A-F/]+)\s*$")
"""End of the last record replayed, and start of the first that was not."""


@dataclass(frozen=True)
class CreateGreen:
    nodes: Mapping[Colour, Node]
    copy: CopyGreen
    name: ClassVar[str] = "create_green"

    def is_done(self, job: Job) -> bool:
        if facts.copies(job):
            return self.copy.is_done(job)
        source, target = self._pair(job)
        if not target.driver.is_running() or target.driver.access() != "open":
            return False
        with source.session() as session:
            slots = [FORWARD, GUARD, STANDBY_SLOTS[target.colour.value]]
            if not session.value(SOURCE_IS_READY, slots):
                return False
        with target.session() as session:
            return bool(session.value(GREEN_IS_READY, [FORWARD, GUARD]))

    def do(self, job: Job) -> Done | Pending:
        source, target = self._pair(job)
        with source.session() as session:
            prepare_source(session, job)
            if facts.copies(job):
                answer = self.copy.do(job)
                return _done(session, job) if isinstance(answer, Done) else answer
            fork.ensure_guard(session)
            state = fork.state_of(target, fork.read_fork(session))
            if state in ("standby", "down") and (waits_for := self._begin(session, job)):
                return Pending(waits_for)
            if not _left_recovery(target):
                return Pending("green replays up to the fork")
            _check_is_our_fork(session, target)
            session.execute(fork.NOTE_WRITABLE)
            _tidy(session, target)
            return _done(session, job)

    def undo(self, job: Job) -> Done | Pending:
        source, target = self._pair(job)
        with source.session() as session:
            standby.check_serves(session, source)
            if facts.copies(job):
                return self.copy.undo(job)
            begun = fork.read_fork(session)
            diverged = begun.armed or fork.state_of(target, begun) == "forked"
            answer = standby.make_standby(target, source, session, job, diverged=diverged)
            if isinstance(answer, Pending):
                return answer
            fork.drop_slot(session, FORWARD)
            session.execute(f"DROP PUBLICATION IF EXISTS {ident(FORWARD)}")
            fork.drop_slot(session, GUARD)
            if session.value(fork.JOB_SCHEMA):
                session.execute("DELETE FROM bluegreen_job.fork")
        return Done(f"{target.colour} is the standby of {source.colour} again")

    def recall(self, job: Job) -> Mapping[str, Any]:
        with self.nodes[job.source].session() as session:
            return _done(session, job).facts

    def _pair(self, job: Job) -> tuple[Node, Node]:
        return self.nodes[job.source], self.nodes[job.target]

    def _begin(self, session: Session, job: Job) -> str:
        """Send the standby on its way to the fork, from wherever it is; else what it waits for."""
        source, target = self._pair(job)
        begun = fork.read_fork(session)
        lsn = begun.lsn
        if not begun.armed:
            if lsn is None or target.driver.is_running():
                if waits_for := self._stand_still(session, job):
                    return waits_for
                with source.session(limit_s=fork.SLOT_LIMIT_S) as limited:
                    lsn = fork.take_fork_point(session, limited)
            if lsn is None:
                target.driver.start(limit_s=fork.START_LIMIT_S)
                return f"waits for open write transactions: {fork.open_writers(session)}"
            fork.arm(session, source, target, lsn)
        target.driver.start(limit_s=fork.START_LIMIT_S)
        return ""

    def _stand_still(self, session: Session, job: Job) -> str:
        """Stop the standby, which may have run past an earlier point: that one is forgotten."""
        target = self.nodes[job.target]
        session.execute(fork.FORGET_LSN)
        if self._is_lost(session, job) and (waits_for := self._make_anew(session, job)):
            return waits_for
        return fork.quiesce(session, target)

    def _is_lost(self, session: Session, job: Job) -> bool:
        """Whether the standby cannot be had by starting it, which is done here."""
        source, target = self._pair(job)
        if standby.is_being_made(target, job):
            return True
        if not target.driver.is_running():
            target.driver.set_recovery(fork.follow(source, target), standby=True)
            try:
                target.driver.start(limit_s=fork.START_LIMIT_S)
            except Transient:
                if target.driver.is_running():
                    raise
                return True  # what is there is no server any more
        return not standby.streams(target, session) and standby.is_lost(target, session)

    def _make_anew(self, session: Session, job: Job) -> str:
        """No standby stands: copy the source, whatever is there instead. Empty when it stands."""
        source, target = self._pair(job)
        slot = STANDBY_SLOTS[target.colour.value]
        if not standby.is_being_made(target, job):
            target.driver.stop(limit_s=fork.STOP_LIMIT_S)
            fork.drop_slot(session, slot)  # one that lost its WAL holds none for the copy
        answer = standby.make_standby(target, source, session, job, diverged=True, prefer="copy")
        if isinstance(answer, Pending):
            return answer.sentence
        fork.ensure_guard(session)
        return ""


def prepare_source(session: Session, job: Job) -> None:
    """The publication stands before the slot: a change between the two would be lost silently."""
    if not session.value(HAS_PUBLICATION, [FORWARD]):
        mapping = TableMapping.model_validate(facts.Rehearsal.of(job).mapping)
        with session.transaction():
            for statement in forward_publication(mapping):
                session.execute(statement)
    session.execute(fork.OPEN_FORK)


def _left_recovery(target: Node) -> bool:
    def writable() -> bool:
        with target.session(database="postgres") as session:
            return not session.value(fork.IN_RECOVERY)

    return holds_within(PROMOTION_LIMIT_S, writable)


def _check_is_our_fork(source: Session, target: Node) -> None:
    """Raises Broken unless the target left the source's history exactly at our fork LSN."""
    lsn = fork.read_fork(source).lsn
    with target.session(database="postgres") as session:
        history = str(session.value(LAST_HISTORY) or "")
    left = LEFT.search(history)
    if not lsn or not left or not Lsn.parse(left[1]) <= Lsn.parse(lsn) <= Lsn.parse(left[2]):
        raise Broken(
            f"expected {target.colour} to have left recovery before {lsn or 'a noted LSN'}, found"
            f" {history.strip()!r}: somebody promoted it; it will be made a standby again"
        )


def _tidy(source: Session, target: Node) -> None:
    """Close green to the application, then forget that it was a standby, then open its door."""
    with target.session() as session:
        session.rows("SELECT bluegreen.fence()")
        target.driver.clear_recovery()
        session.execute(f"DROP PUBLICATION IF EXISTS {ident(FORWARD)}")  # the copy brought it
        session.execute("CHECKPOINT")  # puts the new timeline where pg_rewind reads it
    fork.drop_slot(source, STANDBY_SLOTS[target.colour.value])
    target.driver.set_access("open")


def _done(source: Session, job: Job) -> Done:
    lsn = fork.read_fork(source).lsn
    seconds = float(source.value(fork.SECONDS_TO_WRITABLE))
    copied = facts.copies(job)
    known = facts.Fork(
        fork_lsn=str(lsn), seconds_to_writable=seconds, strategy="copy" if copied else "fork"
    )
    how = "copied up to" if copied else "forked at"
    return Done(f"writable after {seconds:.2f} s, {how} {lsn}", known.model_dump(mode="json"))
