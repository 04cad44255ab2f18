"""Whether what the file computes can be computed for rows that come later, when it has run.

A function, a type or a value's name that an expression uses may be gone by then, or mean something
else. On the target's empty copy the server is asked whether it still takes every expression; which
functions the file changed after it called them, the catalogs say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from shared.adapters.schema.catalog_snapshot import QUERIES
from shared.domain.errors import Refused
from shared.mapping.comparison import settings_for
from shared.mapping.derived.comparison import DerivedComparison
from shared.mapping.expressions import one_row
from shared.mapping.model import Mapping as Carried
from shared.mapping.model import Table
from shared.mapping.statements import refused
from shared.mapping.target_comparison import TargetComparison
from shared.ports import Session
from shared.sql.parse import Statement

NOT_MEANT = "bluegreen_not_meant"
"""Code of these refusals."""
KEEP = (
    "keep the functions, the types and the names of values that it uses as they are, until a"
    " migration after this one"
)
Routines = dict[int, tuple[str, str, str]]
"""By oid: schema, name, and everything that says what the function does."""


@dataclass
class CalledFunctions:
    """The user's functions that expressions of the file call, as they were then."""

    noted: list[tuple[Statement, Routines]] = field(default_factory=list)

    def note(self, session: Session, statement: Statement, oids: Iterable[int]) -> None:
        """`oids`: what the statement's expressions call; with what those call in turn."""
        wanted = set(oids)
        if wanted:
            known = routines(session)
            self.noted.append((statement, closure(wanted, known)))

    def check(self, session: Session) -> None:
        """When the file has run. Raises Refused, with the statement."""
        now = routines(session) if self.noted else {}
        for statement, then in self.noted:
            for oid, routine in then.items():
                if now.get(oid) != routine:
                    raise refused(
                        statement,
                        f"it calls function {routine[1]}, which the file changes or drops"
                        " afterwards, so rows that are written later could not follow",
                        "change or drop the function in a migration after this one",
                    )


def routines(session: Session) -> Routines:
    rows = session.rows(QUERIES["routines"])
    return {oid: (schema, name, text) for oid, schema, name, text in rows}


def closure(oids: set[int], known: Mapping[int, tuple[str, str, str]]) -> Routines:
    """These functions, and those whose names stand in their bodies."""
    found: Routines = {}
    waiting = [oid for oid in oids if oid in known]
    while waiting:
        oid = waiting.pop()
        found[oid] = known[oid]
        words = set(re.findall(r"\w+", known[oid][2]))
        waiting += [other for other, (_, name, _) in known.items()
                    if other not in found and other not in waiting and name in words]  # fmt: skip
    return found


def check_constraint_functions(start: Routines, now: Routines, called: Iterable[int]) -> None:
    """A CHECK of the source goes on with the function that it had. Raises Refused where the file
    makes the function another one. `called`: those that CHECKs of tables and domains call."""
    for oid, routine in closure(set(called), start).items():
        if oid in now and now[oid][2] != routine[2]:
            raise Refused(
                f"function {routine[1]} is called by a CHECK, and the file changes it: what the"
                " new side takes the old one might refuse",
                remedy="change the function in a safe migration before or after this one",
            )


def check_still_meant(session: Session, mapping: Carried) -> None:
    """On the target's copy in state sync. Raises Refused with code NOT_MEANT."""
    for label, settings, query in _queries(mapping):
        try:
            with session.transaction():
                for setting in settings:
                    session.execute(setting.replace("SET ", "SET LOCAL ", 1))
                session.rows(query)
        except Refused as error:
            raise Refused(
                f"what the file computes of {label} means nothing any more when it has run"
                f" ({error.message}): rows that are written later could not follow",
                remedy=KEEP,
                code=NOT_MEANT,
            ) from error


def _queries(mapping: Carried) -> Iterator[tuple[str, list[str], str]]:
    """(table, settings, query) of every expression over rows."""
    for table in mapping.tables:
        comparison = TargetComparison(table)
        if comparison.has_checks:
            query = comparison.checks(None, None, with_down=True)
            yield table.final.label, settings_for(table), query
        if checks := _checks(table):
            yield table.final.label, settings_for(table), checks
    for made in mapping.derived:
        yield made.final.label, settings_for(made), DerivedComparison(mapping, made).checks()


def _checks(table: Table) -> str:
    """What a value that comes back must meet; of no value."""
    found = []
    for column in table.of("landing"):
        row = one_row(table.sync.name, [(column.sync, f"NULL::{column.type}")])
        found += [f"({check})::bool FROM {row}" for check in column.checks]
    return " UNION ALL ".join(f"SELECT {each}" for each in found)


def constraint_functions(session: Session) -> list[int]:
    """Oids of the functions that CHECKs of tables and domains call."""
    return [oid for (oid,) in session.rows(QUERIES["constraint_functions"])]
