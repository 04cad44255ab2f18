"""Green has what the source has, a moment later, and everything the cutover needs stands ready.

Guarantee: a marker written on the source reaches green at once, and the lag is small or shrinks;
           new foreign keys hold; sequences
           are ahead; the way back is prepared; the source's schema is the one that was frozen.
Repeats:   each look writes a new marker; the rest is looked at first.
Undo:      the disabled way back is dropped on the source; what is on green goes with green.
Fails with Refused when apply stopped (the server's own words), its WAL is gone, or rows break a
           new foreign key.
Source:    PostgreSQL manual, "Logical Replication: Monitoring" and "Conflicts".
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from shared.domain.environment import Colour
from shared.domain.errors import Refused
from shared.domain.facts import Freeze, Rehearsal
from shared.domain.migration import Job
from shared.domain.objects import FORWARD
from shared.mapping.model import Mapping as TableMapping
from shared.ports import Done, Node, Pending, Session
from shared.sql.fingerprint import FINGERPRINT
from workers.replicator import foreign_keys, fork, marker, subscription, way_back
from workers.replicator.apply_state import expect_apply, expect_tables
from workers.replicator.background import Background
from workers.replicator.lag import Trend

ROUND_TRIP_LIMIT_S = 1.0
LOOK_S = 2.0
HEADROOM = 1000
"""Values by which each sequence is ahead on green; what outruns them is set in the pause."""
POSITIONS = "SELECT bluegreen.sequence_positions()"
ADVANCE = "SELECT bluegreen.advance_sequences(%s::jsonb, %s)"


@dataclass(frozen=True)
class CatchUp:
    nodes: Mapping[Colour, Node]
    background: Background
    name: ClassVar[str] = "catch_up"
    _trends: dict[str, Trend] = field(default_factory=dict)
    """Lag at earlier looks of this worker, by job: only for the sentence."""

    def is_done(self, job: Job) -> bool:
        source, target = self.nodes[job.source], self.nodes[job.target]
        if not target.driver.is_running():
            return False
        with source.session() as at_source, target.session() as at_target:
            return (
                subscription.is_enabled(at_target, FORWARD)
                and way_back.is_ready(at_source, at_target)
                and _round_trip(at_source, at_target)
            )

    def do(self, job: Job) -> Done | Pending:
        source, target = self.nodes[job.source], self.nodes[job.target]
        mapping = TableMapping.model_validate(Rehearsal.of(job).mapping)
        with source.session() as at_source, target.session() as at_target:
            expect_apply(at_source, at_target, job)
            expect_tables(at_source, at_target)
            behind = self._behind(job, at_source)
            if not _round_trip(at_source, at_target) or not self._trends[job.id].keeps_up():
                return behind
            key = f"{job.id}/{self.name}"
            self.background.start(key, partial(_check_foreign_keys, target, mapping))
            if not self.background.wait(key, LOOK_S):
                return Pending("foreign keys that the file adds are checked")
            _check_fingerprint(at_source, job)
            positions = at_source.value(POSITIONS)
            at_target.rows(ADVANCE, [json.dumps(positions), HEADROOM])
            way_back.prepare(at_source, at_target, target, mapping, job.database)
        return Done(f"{job.target} has everything {job.source} has")

    def undo(self, job: Job) -> Done:
        with self.nodes[job.source].session() as session:
            way_back.remove_from_source(session)
        return Done("the way back is removed")

    def _behind(self, job: Job, source: Session) -> Pending:
        lag_bytes = int(source.value(fork.LAG_BYTES, [FORWARD]) or 0)
        trend = self._trends.setdefault(job.id, Trend())
        trend.add(time.monotonic(), lag_bytes)
        return Pending(f"{job.target} is {trend.sentence()}", trend.progress())


def _check_fingerprint(source: Session, job: Job) -> None:
    frozen = Freeze.maybe(job)
    found = source.value(FINGERPRINT)
    if frozen is not None and frozen.fingerprint != found:
        raise Refused(
            f"expected the schema of {job.source} as it was frozen, found it changed meanwhile",
            remedy="find out who got past the freeze, and run the file again",
        )


def _check_foreign_keys(target: Node, mapping: TableMapping) -> None:
    with target.session(limit_s=0) as session:
        foreign_keys.check(session, [key.name for key in mapping.foreign_keys])


def _round_trip(source: Session, target: Session) -> bool:
    """Whether a marker written now is on green within the limit."""
    return marker.arrives(source, target, "catch_up ", limit_s=ROUND_TRIP_LIMIT_S)
