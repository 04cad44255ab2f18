"""Green has the file's schema, wears the source's names, and computes what the file computes.

Guarantee: the file ran verbatim on green, whole, between its landing columns and its triggers.
Repeats:   a row written in that transaction says it is applied, or each of its parts where a
           statement runs in no block; a run begun by a worker that died is waited for, and so
           is a source that is away when the file has run.
Undo:      the session that runs the file is ended; green itself is given up by create_green.
           Constraints that a rollback put back unchecked on the source are validated.
Fails with the server's own error, at file:line:column; Refused when the source lost the WAL that
           green has to follow.
Source:    shared/mapping: landing.py, prepare.py; workers/replicator/run_file.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.domain.facts import Rehearsal
from shared.domain.identifiers import literal
from shared.domain.migration import Job
from shared.mapping.model import Mapping as TableMapping
from shared.mapping.prepare import prepare_source
from shared.ports import Done, Node, Pending
from workers.replicator import kept_wal, outside, run_file, settling
from workers.replicator.background import Background
from workers.replicator.file_parts import file_parts
from workers.replicator.poll import holds_within

LOOK_S = 1.5
END_LIMIT_S = 3.0
ANALYZED = "analyzed"
SOURCE_IS_PREPARED = "SELECT to_regprocedure('bluegreen_job.to_final()') IS NOT NULL"


@dataclass(frozen=True)
class ApplyMigration:
    nodes: Mapping[Colour, Node]
    background: Background
    name: ClassVar[str] = "apply_migration"

    def is_done(self, job: Job) -> bool:
        if not self._is_on_green(job):
            return False
        with suppress(Transient), self.nodes[job.source].session() as session:
            return bool(session.value(SOURCE_IS_PREPARED))
        return False  # whether it is cannot be asked: `do` waits

    def do(self, job: Job) -> Done | Pending:
        key = f"{job.id}/{self.name}"
        if not self._is_on_green(job):
            self._expect_worth_it(job)
            if not self.background.knows(key) and (elsewhere := self._elsewhere(job)):
                return elsewhere
            self.background.start(key, partial(self._run_on_green, job))
            if not self.background.wait(key, LOOK_S):
                return Pending(f"{job.file_name} runs on {job.target}")
        applied = f"{job.file_name} is applied on {job.target}"
        try:
            self._prepare_source(job)
        except Transient as error:
            return Pending(f"{applied}; waits for {job.source}: {error.message}")
        return Done(applied)

    def undo(self, job: Job) -> Done | Pending:
        target = self.nodes[job.target]
        if target.driver.is_running():
            with target.session() as session:
                if not holds_within(END_LIMIT_S, lambda: run_file.end_sessions(session, job)):
                    return Pending(f"waits for {job.file_name} to stop on {job.target}")
        key = f"{job.id}/settle"
        self.background.start(key, partial(settling.settle, self.nodes[job.source], job))
        if not self.background.wait(key, LOOK_S):
            return Pending(f"constraints that {job.source} got back unchecked are validated")
        broken = settling.unsettled(self.nodes[job.source], job)
        warning = f"; rows written on {job.target} break {broken}" if broken else ""
        return Done(f"{job.file_name} does not run; {job.target} is given up next{warning}")

    def _expect_worth_it(self, job: Job) -> None:
        """Raises Refused where the file would run for nothing. A source that cannot be asked now
        ends nothing: the file runs on without it."""
        with suppress(Transient), self.nodes[job.source].session() as session:
            kept_wal.expect(session, job)

    def _prepare_source(self, job: Job) -> None:
        with self.nodes[job.source].session() as session, session.transaction():
            if not session.value(SOURCE_IS_PREPARED):
                for statement in prepare_source(_mapping(job)):
                    session.execute(statement)

    def _is_on_green(self, job: Job) -> bool:
        target = self.nodes[job.target]
        if not target.driver.is_running():
            return False
        with target.session() as session:
            return run_file.is_applied(session, job, ANALYZED)

    def _elsewhere(self, job: Job) -> Pending | None:
        """A run that another worker began, perhaps one that died: the server goes on with it."""
        with self.nodes[job.target].session() as session:
            since_s = run_file.running_for_s(session, job)
        if since_s is None:
            return None
        return Pending(f"{job.file_name} runs on {job.target} for {since_s} s")

    def _run_on_green(self, job: Job) -> None:
        target, mapping = self.nodes[job.target], _mapping(job)
        for each in file_parts(job.sql, Rehearsal.of(job).run_as, mapping):
            with target.session() as session:
                if run_file.is_applied(session, job, each.part.name):
                    continue
            if each.alone is None:
                run_file.run_part(target, job, each.part)
            else:
                outside.run_outside(target, job, each.part, each.alone)
        with target.session(limit_s=0, application_name=run_file.session_name(job)) as session:
            for table in mapping.changed_tables:
                session.execute(f"ANALYZE {table.sync.sql}")
            for name in mapping.created:
                session.execute(f"ANALYZE {name.sql}")
            row = f"({literal(job.id)}, {literal(ANALYZED)})"
            session.execute(f"INSERT INTO bluegreen.applied VALUES {row}")  # noqa: S608 (quoted)


def _mapping(job: Job) -> TableMapping:
    return TableMapping.model_validate(Rehearsal.of(job).mapping)
