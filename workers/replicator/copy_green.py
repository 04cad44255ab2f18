"""What `create_green` does where green is copied: one act after the other, each looked at first.

Empty target, definitions, slot, copy, its end noted, indexes, and then it stands as a fork would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.domain.identifiers import ident
from shared.domain.migration import Job
from shared.domain.objects import COPY, FORWARD, REVERSE
from shared.ports import Database, Done, Node, Pending, Session
from workers.replicator import (
    copy_publication,
    copy_target,
    copying,
    fork,
    run_file,
    subscription,
)
from workers.replicator.background import Background
from workers.replicator.poll import holds_within

LOOK_S = 1.5
END_LIMIT_S = 3.0
HAS_SLOT = "SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %s)"
DROP_FORWARD = "SELECT bluegreen.drop_stream_slot('forward')"
DROP_BACK = "SELECT bluegreen.drop_stream_slot('back')"
IS_WRITABLE = "SELECT writable_at IS NOT NULL FROM bluegreen_job.fork"
"""Noted last: where the rest was built between two looks, nobody has said so yet."""
CONTENTS_ARE_OURS = "SELECT bluegreen.may_be_emptied(%s)"


@dataclass(frozen=True)
class CopyGreen:
    nodes: Mapping[Colour, Node]
    databases: Mapping[Colour, Database]
    background: Background

    def is_done(self, job: Job) -> bool:
        source, target = self.nodes[job.source], self.nodes[job.target]
        if not target.driver.is_running():
            return False
        with source.session() as at_source, target.session() as at_target:
            return (
                fork.read_fork(at_source).armed
                and bool(at_source.value(HAS_SLOT, [FORWARD]))
                and not at_source.value(copy_publication.HAS_PUBLICATION, [COPY])
                and not subscription.exists(at_target, COPY)
                and run_file.is_applied(at_target, job, copy_target.REST)
                and bool(at_source.value(IS_WRITABLE))
            )

    def do(self, job: Job) -> Done | Pending:
        """The publication of the stream stands already: before the slot, as that of the copy."""
        source, target = self.nodes[job.source], self.nodes[job.target]
        with source.session() as at_source, target.session() as at_target:
            if not fork.read_fork(at_source).armed:
                waits_for = self._copy(at_source, at_target, job)
                if waits_for is not None:
                    return waits_for
            copying.drop(at_target)
            at_source.execute(f"DROP PUBLICATION IF EXISTS {ident(COPY)}")
            if not self._applied(at_target, job, copy_target.REST, self._load_rest):
                return Pending(f"indexes and foreign keys are built on {job.target}")
            at_source.execute(fork.NOTE_WRITABLE)
        return Done(f"{job.target} has the rows of {job.source}")

    def undo(self, job: Job) -> Done | Pending:
        """The source first: it must not keep WAL for a green that nobody wants."""
        source, target = self.nodes[job.source], self.nodes[job.target]
        with source.session() as at_source:
            leave(at_source)
        with target.session(limit_s=0) as at_target:
            if not holds_within(END_LIMIT_S, lambda: run_file.end_sessions(at_target, job)):
                return Pending(f"waits for what was begun to stop on {job.target}")
            _let_go(at_target, DROP_BACK, REVERSE)
            at_target.execute(f"DROP PUBLICATION IF EXISTS {ident(REVERSE)}")
            copying.drop(at_target)
            if at_target.value(CONTENTS_ARE_OURS, [job.id]):
                key = f"{job.id}/empty"
                self.background.start(key, partial(self._empty, job))
                if not self.background.wait(key, LOOK_S):
                    return Pending(f"{job.target} is emptied")
        with source.session() as at_source:
            if at_source.value(fork.JOB_SCHEMA):
                at_source.execute("DELETE FROM bluegreen_job.fork")
                at_source.execute("DELETE FROM bluegreen_job.sequence_twin")
        return Done(f"{job.target} is empty and closed")

    def _copy(self, at_source: Session, at_target: Session, job: Job) -> Pending | None:
        """None once every row is there, up to the point that is noted."""
        copy_publication.publish(at_source)
        if not self._applied(at_target, job, copy_target.TABLES, self._load_tables):
            return Pending(f"{job.target} is made ready, and gets the tables of {job.source}")
        if not subscription.exists(at_target, COPY):
            if not at_source.value(HAS_SLOT, [FORWARD]):
                with self.nodes[job.source].session(limit_s=fork.SLOT_LIMIT_S) as limited:
                    if waits_for := copying.take_slot(at_source, limited):
                        return Pending(waits_for)
            source = self.nodes[job.source]
            copying.begin(at_target, source.replication_conninfo(database=job.database))
        return copying.look(at_source, at_target, job)

    def _applied(
        self, at_target: Session, job: Job, part: str, load: Callable[[Job], None]
    ) -> bool:
        """Whether that part of the definitions is there; begun here when nobody else has."""
        if run_file.is_applied(at_target, job, part):
            return True
        key = f"{job.id}/{part}"
        if not self.background.knows(key) and run_file.running_for_s(at_target, job) is not None:
            return False  # the server goes on with what a worker began that died
        self.background.start(key, partial(load, job))
        return self.background.wait(key, LOOK_S) and run_file.is_applied(at_target, job, part)

    def _load_tables(self, job: Job) -> None:
        source, target = self.nodes[job.source], self.nodes[job.target]
        with (
            source.session() as at_source,
            target.session(limit_s=0, application_name=run_file.session_name(job)) as at_target,
        ):
            copy_target.make_ready(at_source, at_target, job)
            wanted = self.databases[job.source].definitions()
            copy_target.load_tables(at_source, target, job, wanted)

    def _load_rest(self, job: Job) -> None:
        with self.nodes[job.source].session() as at_source:
            views = copy_target.filled_views(at_source)
        wanted = self.databases[job.source].definitions()
        copy_target.load_rest(self.nodes[job.target], job, wanted, views)

    def _empty(self, job: Job) -> None:
        with self.nodes[job.target].session(limit_s=0) as session:
            session.value(copy_target.MAKE_EMPTY, [job.id])


def _let_go(session: Session, drop: str, name: str) -> None:
    if not holds_within(END_LIMIT_S, lambda: session.value(drop)):
        raise Transient(f"expected slot {name} to be let go, found it read; trying again")


def leave(at_source: Session) -> None:
    """Take away what the stream needed on the side that it came from."""
    _let_go(at_source, DROP_FORWARD, FORWARD)
    for name in (FORWARD, COPY):
        at_source.execute(f"DROP PUBLICATION IF EXISTS {ident(name)}")
