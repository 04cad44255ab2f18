"""The application's live statements still parse on the shape that the cutover brings.

Guarantee: every statement that counts parses on green with its final names, or the user has
           accepted that some do not. What counts: what is recorded and parses on the source, but
           not what its sender marked as chosen by shape; or the list of `--queries`.
Repeats:   reads only; the final names are taken on in a transaction that is rolled back.
Undo:      nothing to undo: nothing was changed.
Fails with Refused when statements break: each is named, with the server's reason.
Source:    PostgreSQL manual, "pg_stat_statements"; docs/expand-and-contract.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import ClassVar

from shared.adapters.named_queries import named_queries
from shared.domain.environment import Colour
from shared.domain.errors import Refused, Transient
from shared.domain.facts import StatementCheck
from shared.domain.migration import Job
from shared.ports import Done, Node, Pending, Session
from workers.validator.statement_look import is_by_shape, look

QUERIES = named_queries(__file__, "check_statements.sql")
SERVER_DATABASE = "postgres"
MOST = 2000
NAMED = 5
SHOWN_CHARACTERS = 120


class _RollBack(Exception):
    """Leaves a transaction without keeping it."""


@dataclass(frozen=True)
class CheckStatements:
    nodes: Mapping[Colour, Node]
    application_role: str

    name: ClassVar[str] = "check_statements"
    only_looks: ClassVar[bool] = True

    def is_done(self, job: Job) -> bool:
        return False

    def do(self, job: Job) -> Done | Pending:
        try:
            found = self._examine(job)
        except Transient as busy:
            return Pending(f"looks again at green's final shape: {busy.message}")
        if not self._passes(job, found):
            raise Refused(
                f"{len(found.broken)} of {found.statements} live statements would fail after the"
                f" cutover: {'; '.join(found.broken[:NAMED])}",
                remedy="deploy an application that serves both shapes first, and mark what it sends"
                " by shape; if the version that sent these is gone, SELECT"
                " pg_stat_statements_reset(); docs/expand-and-contract.md tells how",
            )
        return Done(_sentence(found), found.model_dump(mode="json"))

    def undo(self, job: Job) -> Done:
        return Done("nothing to undo: statements were only parsed")

    def _passes(self, job: Job, found: StatementCheck) -> bool:
        return not found.broken or job.options.accept_broken_statements

    def _examine(self, job: Job) -> StatementCheck:
        with (
            self.nodes[job.source].session() as source,
            self.nodes[job.target].session() as target,
        ):
            recorded = self._recorded(job, source)
            given = job.options.queries
            role = self.application_role
            path = source.value(QUERIES["search_path"], [role, role])
            with _rolled_back(source, path):
                known = {text: look(source, text) for text in recorded or ()}
                known = {text: seen for text, seen in known.items() if seen.problem is None}
            with _rolled_back(target, path):
                target.execute("SELECT bluegreen_job.to_final()")
                final = {text: look(target, text) for text in {*known, *(given or ())}}
        counted = [text for text in known if not is_by_shape(text)] if given is None else given
        broken = {text: seen.problem for text, seen in final.items() if seen.problem}
        return StatementCheck(
            statements=len(counted),
            broken=[_named(text, broken[text]) for text in counted if text in broken],
            set_aside=[_named(text, broken[text]) for text in broken if text not in counted],
            slower=[
                f"{_short(text)} (estimated cost {known[text].cost:.0f} before,"
                f" {final[text].cost:.0f} after)"
                for text in known
                if text in counted and final[text].is_slower_than(known[text])
            ],
            seen=recorded is not None or given is not None,
        )

    def _recorded(self, job: Job, source: Session) -> list[str] | None:
        """Statements as pg_stat_statements keeps them; None where nobody records any.

        It records for the whole server, and may be read from the database that has the extension.
        """
        if (found := self._read(job, source)) is not None:
            return found
        try:
            with self.nodes[job.source].session(database=SERVER_DATABASE) as session:
                return self._read(job, session)
        except Refused:  # no such database, or not for us: nobody records any
            return None

    def _read(self, job: Job, session: Session) -> list[str] | None:
        schema = session.value(QUERIES["schema"])
        if schema is None:
            return None
        session.execute(f"SET search_path = {schema}, pg_catalog")
        rows = session.rows(QUERIES["live"], [job.database, self.application_role, MOST])
        return [str(query) for query, _ in rows]


@contextmanager
def _rolled_back(session: Session, search_path: str) -> Iterator[None]:
    with suppress(_RollBack), session.transaction():
        session.execute(f"SET LOCAL search_path = {search_path}")
        yield
        raise _RollBack


def _named(text: str, problem: str | None) -> str:
    return f"{_short(text)} ({problem})"


def _short(statement: str) -> str:
    text = " ".join(statement.split())
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "..."


def _sentence(found: StatementCheck) -> str:
    if not found.seen:
        return "no live statements are recorded: pg_stat_statements is not installed"
    said = f"{found.statements} live statements parse on the final shape"
    if found.broken:
        said = f"{len(found.broken)} of {found.statements} live statements break, and are accepted"
    if found.set_aside:
        said += f"; {len(found.set_aside)} others do not, and their senders know the new shape"
    if found.slower:
        said += f"; {len(found.slower)} may be slower"
    return said
