"""The target is "the source plus the file" again, after it has served and was left.

While it served, the application chose values that the file would compute otherwise. Those rows are
computed anew before the target may serve a second time; the source's own definitions are settled.

Guarantee: every row on the target is as the file makes it; a row in `bluegreen.applied` there says
           so, written after the last of them. Nothing to do where the target never served.
Repeats:   each table is one transaction that finds only the rows that are not right yet.
Undo:      the sessions that compute are ended; the rows stay on a target that is given up.
Fails with Refused when apply has stopped meanwhile (the server's own words).
Source:    shared/mapping/rederive.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from shared.domain.environment import Colour
from shared.domain.facts import Rehearsal
from shared.domain.migration import Job
from shared.mapping.model import Mapping as TableMapping
from shared.mapping.rederive import rederive
from shared.ports import Done, Node, Pending
from shared.sql.went_back import WENT_BACK
from workers.replicator import run_file, settling
from workers.replicator.apply_state import expect_apply, expect_tables
from workers.replicator.background import Background
from workers.replicator.poll import holds_within

LOOK_S = 1.5
END_LIMIT_S = 3.0
LOOK_AGAIN_S = 5.0
WRITE_DONE = "INSERT INTO bluegreen.applied (job, part) VALUES (%s, %s) ON CONFLICT DO NOTHING"


@dataclass(frozen=True)
class Rederive:
    nodes: Mapping[Colour, Node]
    background: Background
    name: ClassVar[str] = "rederive"

    def is_done(self, job: Job) -> bool:
        part = self._part(job)
        if part is None:
            return True
        with self.nodes[job.target].session() as session:
            if not run_file.is_applied(session, job, part):
                return False
        return not settling.unsettled(self.nodes[job.source], job)

    def do(self, job: Job) -> Done | Pending:
        source, target = self.nodes[job.source], self.nodes[job.target]
        part = self._part(job)
        if part is None:
            return Done(f"{job.target} has not served in this job")
        with source.session() as at_source, target.session() as at_target:
            expect_apply(at_source, at_target, job)
            expect_tables(at_source, at_target)
        key = f"{job.id}/{self.name}"
        self.background.start(key, partial(self._work, job, part))
        if not self.background.wait(key, LOOK_S):
            return Pending(f"rows of {job.target} that are not as the file makes them")
        if broken := settling.unsettled(source, job):
            return Pending(
                f"waits for rows on {job.source} to be mended, which break {broken}",
                look_again_s=LOOK_AGAIN_S,
            )
        return Done(f"{job.target} is {job.source} plus the file again")

    def undo(self, job: Job) -> Done | Pending:
        target = self.nodes[job.target]
        if target.driver.is_running():
            with target.session() as session:
                if not holds_within(END_LIMIT_S, lambda: run_file.end_sessions(session, job)):
                    return Pending(f"waits for what computes rows on {job.target} to stop")
        return Done("nothing computes rows any more")

    def _part(self, job: Job) -> str | None:
        """The name of this round in `bluegreen.applied`; None where the target never served."""
        with self.nodes[job.source].session() as session:
            number = session.value(WENT_BACK, [job.id])
        return None if number is None else f"rederived {number}"

    def _work(self, job: Job, part: str) -> None:
        mapping = TableMapping.model_validate(Rehearsal.of(job).mapping)
        target = self.nodes[job.target]
        settling.settle(self.nodes[job.source], job)
        with target.session(limit_s=0, application_name=run_file.session_name(job)) as session:
            if run_file.is_applied(session, job, part):
                return
            for statements in rederive(mapping):
                with session.transaction():
                    for statement in statements:
                        session.execute(statement)
            session.execute(WRITE_DONE, [job.id, part])
