"""The standby keeps the state from before the file: a way back that is instant at any size.

Guarantee: the standing standby replays nothing, and goes on receiving; guard slots on both sides
           hold the WAL with which the old side can be rewound, should the standby take over.
Repeats:   holding it twice is holding it once; it lasts over a restart of the standby.
Undo:      replay goes on; where the standby took over, the old side becomes its standby.
Fails with Transient when the standby does not answer.
Source:    PostgreSQL manual, "Recovery Control Functions".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from shared.domain.environment import Colour
from shared.domain.migration import Job
from shared.ports import Done, Node, Pending
from workers.replicator import fork, promotion, replay, standby
from workers.replicator.poll import holds_within

LOOK_S = 2.0


@dataclass(frozen=True)
class PauseStandbyReplay:
    nodes: Mapping[Colour, Node]
    name: ClassVar[str] = "pause_standby_replay"

    def is_done(self, job: Job) -> bool:
        standing = self.nodes[job.target]
        if not standing.driver.is_running() or not replay.is_held_for_good(standing):
            return False
        return all(self._has_guard(colour) for colour in (job.source, job.target))

    def do(self, job: Job) -> Done | Pending:
        for colour in (job.source, job.target):
            with self.nodes[colour].session(database=replay.DATABASE) as session:
                fork.ensure_guard(session)
        standing = self.nodes[job.target]
        replay.hold(standing)
        if not holds_within(LOOK_S, lambda: replay.is_held(standing)):
            return Pending(f"{job.target} comes to the end of what it replays")
        replay.hold_for_good(standing, self.nodes[job.source])
        if not holds_within(LOOK_S, lambda: replay.is_held_for_good(standing)):
            return Pending(f"{job.target} reads its settings")
        return Done(f"{job.target} keeps the state from before the file")

    def undo(self, job: Job) -> Done | Pending:
        old, standing = self.nodes[job.source], self.nodes[job.target]
        if promotion.has_taken_over(standing, old):
            with standing.session() as session:
                diverged = not standby.streams(old, session)
                return standby.make_standby(old, standing, session, job, diverged=diverged)
        replay.end_hold(standing, old)
        return Done(f"{job.target} replays again")

    def _has_guard(self, colour: Colour) -> bool:
        with self.nodes[colour].session(database=replay.DATABASE) as session:
            return replay.has_guard(session)
