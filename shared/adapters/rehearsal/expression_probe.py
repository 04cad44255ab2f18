"""What expressions of a file mean, asked of the server that will run them.

They are put into a temporary view, whose analysed tree and dependencies say what they read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.adapters.schema.catalog_snapshot import QUERIES
from shared.domain.errors import Refused
from shared.domain.identifiers import ident, literal
from shared.mapping.data_changes import DataChange
from shared.mapping.locality import SeenFunction, functions_in, names_users_objects, not_row_local
from shared.mapping.snapshot import SeenRelation, Snapshot
from shared.mapping.statements import MAINTENANCE_REMEDY, refused
from shared.ports import Session
from shared.sql.parse import Statement


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the server makes of expressions over one row of a table."""

    reads: tuple[int, ...]
    """Columns of the table that they read, by attribute number."""
    problems: tuple[str, ...]
    """What they depend on besides their row, in words; empty when on nothing."""
    by_path: bool
    """Whether they use anything that is not PostgreSQL's own."""
    calls: tuple[int, ...] = ()
    """Oids of the functions that they call."""


def meaning(
    session: Session, expressions: Iterable[str], relation: str, alias: str, oid: int
) -> Meaning:
    """Raises Refused when the server does not take the expressions."""
    picked = ", ".join(f"({text}) AS c{number}" for number, text in enumerate(expressions))
    query = f"SELECT {picked} FROM {relation} AS {ident(alias)}"  # noqa: S608 (the file's own)
    with session.transaction():
        session.execute(f"CREATE TEMP VIEW bluegreen_probe AS {query}")
        tree = str(session.value(QUERIES["tree"]))
        reads = tuple(int(row[0]) for row in session.rows(QUERIES["reads"], [oid]))
        oids = functions_in(tree)
        called = session.rows(QUERIES["functions"], [oids])
        session.execute("DROP VIEW bluegreen_probe")
    problems = not_row_local(tree, [SeenFunction(*row) for row in called])
    return Meaning(reads, tuple(problems), names_users_objects(tree), tuple(oids))


def row_local_meaning(
    session: Session, statement: Statement, change: DataChange, table: SeenRelation
) -> Meaning:
    """What the change computes and asks. Raises Refused, with the line, unless its row alone
    decides that."""
    expressions = [item.expression for item in change.assignments]
    if change.condition is not None:
        expressions.append(change.condition)
    try:
        found = meaning(session, expressions, change.relation, change.alias, table.oid)
    except Refused as error:
        raise refused(statement, error.message, error.remedy) from error
    if found.problems:
        raise refused(
            statement,
            f"it depends on {' and '.join(dict.fromkeys(found.problems))}, so rows that are written"
            " later cannot follow",
            MAINTENANCE_REMEDY,
        )
    return found


def named_relation(session: Session, name: str, now: Snapshot) -> SeenRelation | None:
    """The relation that this session means by the name; None where there is none."""
    return now.relations.get(session.value("SELECT to_regclass(%s)::oid::int8", [name]))


def meaning_settings(session: Session) -> dict[str, str]:
    """Settings of the session on which the meaning of an expression rests, as SQL literals."""
    row = session.row(QUERIES["settings"])
    assert row is not None, "settings are always there"
    path, zone, dates, intervals = row
    own = {name: literal(value) for name, value in session.rows(QUERIES["own_settings"])}
    return {
        "search_path": f"{path}, pg_temp" if path else "pg_temp",
        "timezone": literal(zone),
        "datestyle": literal(dates),
        "intervalstyle": literal(intervals),
        **own,
    }
