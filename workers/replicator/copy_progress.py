"""How far a copy is and when it will end, told from what both servers say. Pure but for `read`.

Bytes are those of the source's tables; of a table under way, the share of its rows that has come.
Source: PostgreSQL manual, "COPY Progress Reporting", "pg_subscription_rel".
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.objects import COPY
from shared.ports import Session

MINUTE_S = 60
SIZES = """
SELECT format('%%I.%%I', n.nspname, c.relname), coalesce(sum(pg_table_size(leaf.oid)), 0)::bigint,
    coalesce(sum(greatest(leaf.reltuples, 0)), 0)::bigint
FROM pg_get_publication_tables(%s) AS t JOIN pg_class AS c ON c.oid = t.relid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_class AS leaf ON leaf.relkind <> 'p' AND (leaf.oid = t.relid
        OR leaf.oid IN (SELECT relid FROM pg_partition_tree(t.relid)))
GROUP BY 1
"""
STATES = """
SELECT format('%%I.%%I', n.nspname, c.relname), r.srsubstate::text,
    coalesce((SELECT tuples_processed FROM pg_stat_progress_copy AS going
              WHERE going.relid = c.oid AND command = 'COPY FROM' LIMIT 1), 0)
FROM pg_subscription_rel AS r JOIN pg_subscription AS s ON s.oid = r.srsubid
    JOIN pg_class AS c ON c.oid = r.srrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE s.subname = %s
"""
ELAPSED = (
    "SELECT extract(epoch FROM clock_timestamp() - started_at)::float8 FROM bluegreen_job.fork"
)
READY, COPIED = "r", ("f", "s", "r")
"""States of pg_subscription_rel.srsubstate: in sync; all rows are there."""


@dataclass(frozen=True, slots=True)
class TableCopy:
    state: str
    size_bytes: int
    rows: int
    """As the source estimates them; 0: it never counted."""
    rows_here: int
    """Of the COPY under way."""

    @property
    def bytes_here(self) -> float:
        if self.state in COPIED:
            return float(self.size_bytes)
        return self.size_bytes * min(1.0, self.rows_here / self.rows) if self.rows else 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    tables: tuple[TableCopy, ...]
    elapsed_s: float

    @property
    def is_ready(self) -> bool:
        """Every table has its rows, and follows."""
        return all(table.state == READY for table in self.tables)

    def share(self) -> float:
        total = sum(table.size_bytes for table in self.tables)
        return sum(table.bytes_here for table in self.tables) / total if total else 1.0

    def sentence(self) -> str:
        done = sum(table.state in COPIED for table in self.tables)
        total = sum(table.size_bytes for table in self.tables)
        text = (
            f"{done} of {len(self.tables)} tables are copied,"
            f" {self.share() * total / 1e6:.0f} of {total / 1e6:.0f} MB"
        )
        if done == len(self.tables):
            return f"{text}; what was written meanwhile follows"
        return f"{text}{self._to_go()}"

    def _to_go(self) -> str:
        share = self.share()
        if not 0.01 <= share < 1:
            return ""
        left_s = self.elapsed_s * (1 - share) / share
        unit = f"{left_s:.0f} s" if left_s < 2 * MINUTE_S else f"{left_s / MINUTE_S:.0f} min"
        return f", about {unit} to go"


def read(source: Session, target: Session) -> Progress:
    """A table that is published and not subscribed counts as one that has not begun."""
    sizes = {name: (size, rows) for name, size, rows in source.rows(SIZES, [COPY])}
    states = {name: (state, rows) for name, state, rows in target.rows(STATES, [COPY])}
    tables = []
    for name, (size, rows) in sizes.items():
        state, here = states.get(name, ("i", 0))
        tables.append(TableCopy(state, size, rows, here))
    return Progress(tuple(tables), float(source.value(ELAPSED) or 0.0))
