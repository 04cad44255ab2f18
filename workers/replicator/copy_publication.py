"""The tables that a copy publishes: every one of the source as it is, and the marker.

A partitioned table stands for its partitions, one with children by inheritance for its own rows.
Source: PostgreSQL manual, "CREATE PUBLICATION", "ALTER PUBLICATION".
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.identifiers import ident
from shared.domain.objects import COPY, STANDING
from shared.ports import Session

HAS_PUBLICATION = "SELECT EXISTS (SELECT FROM pg_publication WHERE pubname = %s)"
TABLES = """
SELECT CASE WHEN c.relkind = 'r' THEN 'ONLY ' ELSE '' END || format('%%I.%%I', n.nspname, c.relname)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND NOT c.relispartition
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', %s)
  AND (n.nspname <> 'bluegreen_job' OR c.relname = 'marker')
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid
                  AND deptype = 'e')
  AND NOT EXISTS (SELECT FROM pg_publication_rel AS r JOIN pg_publication AS p ON p.oid = r.prpubid
                  WHERE p.pubname = %s AND r.prrelid = c.oid)
ORDER BY 1
"""


def publish(source: Session) -> None:
    """Every table. It stands before the slot: what came between them would be lost."""
    if not source.value(HAS_PUBLICATION, [COPY]):
        source.execute(
            f"CREATE PUBLICATION {ident(COPY)} FOR TABLE {', '.join(left_out(source))}"
            " WITH (publish_via_partition_root = true)"
        )


def left_out(source: Session) -> list[str]:
    """Tables that are to be published and are not, as SQL names them: `ONLY schema.name`."""
    return [name for (name,) in source.rows(TABLES, [STANDING, COPY])]


def take_out(source: Session, names: Sequence[str]) -> None:
    _alter(source, "DROP", names)


def put_back(source: Session, names: Sequence[str]) -> None:
    _alter(source, "ADD", names)


def _alter(source: Session, verb: str, names: Sequence[str]) -> None:
    if names:
        source.execute(f"ALTER PUBLICATION {ident(COPY)} {verb} TABLE {', '.join(names)}")
