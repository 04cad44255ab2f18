"""Green receives what the source commits, from the fork on, once each.

Guarantee: a subscription on every published table that was started, its origin at the fork or
           later; whether it still takes what comes is catch_up's to find.
Repeats:   the origin is advanced only while it is lower: it is never moved back.
Undo:      the subscription is disabled and dropped; the slot stays with create_green.
Fails with Broken when the fork's LSN is not noted on the source, Refused when its WAL is gone.
Source:    PostgreSQL manual, "CREATE SUBSCRIPTION", "Replication Progress Tracking".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from shared.domain.environment import Colour
from shared.domain.errors import Broken
from shared.domain.migration import Job
from shared.domain.objects import FORWARD
from shared.ports import Done, Node
from workers.replicator import fork, kept_wal, subscription
from workers.replicator.poll import holds_within

ORIGIN_LIMIT_S = 2.0


@dataclass(frozen=True)
class Subscribe:
    nodes: Mapping[Colour, Node]
    name: ClassVar[str] = "subscribe"

    def is_done(self, job: Job) -> bool:
        source, target = self.nodes[job.source], self.nodes[job.target]
        if not target.driver.is_running():
            return False
        with source.session() as session:
            lsn = fork.read_fork(session).lsn
            published = session.value(subscription.PUBLISHED, [FORWARD])
        if lsn is None:
            return False
        with target.session() as session:
            return subscription.was_started_from(session, FORWARD, lsn, published)

    def do(self, job: Job) -> Done:
        source, target = self.nodes[job.source], self.nodes[job.target]
        with source.session() as session:
            lsn = fork.read_fork(session).lsn
            if lsn is not None:
                kept_wal.expect(session, job)
        if lsn is None:
            raise Broken(
                f"expected the LSN at which {job.target} was forked to be noted on {job.source},"
                " found none: where replication must begin is not known; undoing from here"
            )
        conninfo = source.replication_conninfo(database=job.database)
        with target.session() as session:
            subscription.create_disabled(session, FORWARD, conninfo)
            subscription.advance_origin(session, FORWARD, lsn)
            subscription.enable(session, FORWARD)
            holds_within(ORIGIN_LIMIT_S, lambda: self.is_done(job))
        return Done(f"{job.target} replicates from {job.source}, from {lsn} on")

    def undo(self, job: Job) -> Done:
        target = self.nodes[job.target]
        if target.driver.is_running():
            with target.session() as session:
                subscription.drop(session, FORWARD)
        return Done(f"{job.target} no longer replicates from {job.source}")
