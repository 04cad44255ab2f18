"""Foreign keys that the file adds: apply does not check them, so rows are looked at here.

They are found by name in green's catalog, so it does not matter which names are in force.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.errors import Refused
from shared.domain.identifiers import ident
from shared.ports import Session

SHOWN = 5
COLUMNS = """
SELECT con.conname, n.nspname, c.relname, rn.nspname, r.relname,
    (SELECT array_agg(a.attname::text ORDER BY k.i)
     FROM unnest(con.conkey) WITH ORDINALITY AS k (attnum, i)
     JOIN pg_attribute AS a ON a.attrelid = con.conrelid AND a.attnum = k.attnum),
    (SELECT array_agg(a.attname::text ORDER BY k.i)
     FROM unnest(con.confkey) WITH ORDINALITY AS k (attnum, i)
     JOIN pg_attribute AS a ON a.attrelid = con.confrelid AND a.attnum = k.attnum)
FROM pg_constraint AS con
JOIN pg_class AS c ON c.oid = con.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS r ON r.oid = con.confrelid JOIN pg_namespace AS rn ON rn.oid = r.relnamespace
WHERE con.contype = 'f' AND con.conparentid = 0 AND con.conname = ANY (%s)
"""


def check(session: Session, names: Iterable[str]) -> None:
    """Raises Refused, with the first keys, when rows point at nothing."""
    for name, schema, table, ref_schema, ref_table, columns, ref_columns in session.rows(
        COLUMNS, [sorted(set(names))]
    ):
        orphans = session.rows(
            orphans_query(ident(schema, table), columns, ident(ref_schema, ref_table), ref_columns)
        )
        if orphans:
            keys = ", ".join(str(row if len(row) > 1 else row[0]) for row in orphans)
            raise Refused(
                f"expected every {table} to meet foreign key {name}, found rows whose"
                f" ({', '.join(columns)}) point at no {ref_table}: {keys}",
                remedy="delete or mend these rows, or add the key NOT VALID, and run again",
            )


def orphans_query(
    table: str, columns: list[str], referenced: str, referenced_columns: list[str]
) -> str:
    """Distinct keys that MATCH SIMPLE would refuse: none of them null, and no row to point at."""
    keys = ", ".join(f"child.{ident(column)}" for column in columns)
    there = " AND ".join(f"child.{ident(column)} IS NOT NULL" for column in columns)
    match = " AND ".join(
        f"parent.{ident(theirs)} = child.{ident(ours)}"
        for ours, theirs in zip(columns, referenced_columns, strict=True)
    )
    return (
        f"SELECT DISTINCT {keys} FROM {table} AS child WHERE {there} AND NOT EXISTS"  # noqa: S608
        f" (SELECT FROM {referenced} AS parent WHERE {match}) LIMIT {SHOWN}"
    )
