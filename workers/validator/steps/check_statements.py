"""The application's live statements still parse on the shape that the cutover brings.

Guarantee: every statement that is recorded, and parses on the source, parses on green with its
           final names; or the user has accepted that some do not.
Repeats:   reads only; the final names are taken on in a transaction that is rolled back.
Undo:      nothing to undo: nothing was changed.
Fails with Refused when statements break: each is named, with the server's reason.
Source:    PostgreSQL manual, "pg_stat_statements", "PREPARE", "EXPLAIN" (GENERIC_PLAN, 16 on).
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

QUERIES = named_queries(__file__, "check_statements.sql")
MOST = 2000
NAMED = 5
SHOWN_CHARACTERS = 120
NO_RIGHT = "42501"
GENERIC_PLAN = 160_000
"""First version whose EXPLAIN plans a statement without values for its parameters."""


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
                remedy="deploy an application that serves both shapes first, or accept it with"
                " --accept-broken-statements",
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
            statements = self._live(source)
            if statements is None:
                return StatementCheck(statements=0, seen=False)
            role = self.application_role
            path = source.value(QUERIES["search_path"], [role, role])
            with _rolled_back(source, path):
                known = [text for text in statements if _problem(source, text) is None]
            with _rolled_back(target, path):
                target.execute("SELECT bluegreen_job.to_final()")
                problems = {text: _problem(target, text) for text in known}
        broken = [f"{_short(text)} ({why})" for text, why in problems.items() if why]
        return StatementCheck(statements=len(known), broken=broken)

    def _live(self, source: Session) -> list[str] | None:
        """Statements as pg_stat_statements keeps them; None where nobody records any."""
        schema = source.value(QUERIES["schema"])
        if schema is None:
            return None
        source.execute(f"SET search_path = {schema}, pg_catalog")
        rows = source.rows(QUERIES["live"], [self.application_role, MOST])
        return [str(query) for query, _ in rows]


@contextmanager
def _rolled_back(session: Session, search_path: str) -> Iterator[None]:
    with suppress(_RollBack), session.transaction():
        session.execute(f"SET LOCAL search_path = {search_path}")
        yield
        raise _RollBack


def _problem(session: Session, statement: str) -> str | None:
    """Why the server cannot parse or plan it; None when it can.

    Rights are not asked about: the validator may not write, and the statement is not its own.
    """
    try:
        with session.transaction():
            session.execute(f"PREPARE bluegreen_check AS {statement}")
            session.execute("DEALLOCATE bluegreen_check")
        if _plans_generically(session) and not _writes(statement):
            with session.transaction():
                session.execute(f"EXPLAIN (GENERIC_PLAN) {statement}")
    except Refused as error:
        return None if error.code == NO_RIGHT else error.message
    return None


def _plans_generically(session: Session) -> bool:
    return bool(session.value("SELECT current_setting('server_version_num')::int") >= GENERIC_PLAN)


def _writes(statement: str) -> bool:
    return statement.split(maxsplit=1)[0].lower() not in ("select", "with")


def _short(statement: str) -> str:
    text = " ".join(statement.split())
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "..."


def _sentence(found: StatementCheck) -> str:
    if not found.seen:
        return "no live statements are recorded: pg_stat_statements is not installed"
    if found.broken:
        return f"{len(found.broken)} of {found.statements} live statements break, and are accepted"
    return f"{found.statements} live statements parse on the final shape"
