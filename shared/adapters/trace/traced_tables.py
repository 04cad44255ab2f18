"""The tables and views that stand on a database before a file runs, and what is so of them.

They are known by oid from then on, whatever the file calls them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.adapters.named_queries import named_queries
from shared.adapters.postgres import PsycopgSession
from shared.adapters.trace.statement_work import State, Work
from shared.domain.errors import MigrationError
from shared.domain.identifiers import ident
from shared.sql.locks import Lock
from shared.sql.names import shown
from shared.sql.observation import MODES
from shared.sql.parse import Statement

QUERIES = named_queries(__file__, "observe.sql")
_WORD = re.compile(r'"[^"]+"|\w+')
WAITED = "55P03"
BULK = 0.4
"""The share of a table's rows from which a change counts as work that grows with it."""


@dataclass(frozen=True, slots=True)
class TracedTable:
    schema: str
    name: str
    kind: str
    """`pg_class.relkind`: r, p, v, m."""
    parent: bool
    """Queries of it reach others: partitions, or tables that inherit from it."""

    @property
    def label(self) -> str:
        return shown(self.schema, self.name)

    @property
    def sql(self) -> str:
        return ident(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class TracedTables:
    by_oid: dict[int, TracedTable]
    rows: dict[int, int]
    """Of ordinary tables, counted."""

    @classmethod
    def now(cls, session: PsycopgSession) -> TracedTables:
        found = cls({}, {})
        for oid, schema, name, kind, parent in session.rows(QUERIES["relations"]):
            relation = TracedTable(schema, name, kind, parent)
            found.by_oid[oid] = relation
            if kind == "r":
                count = f"SELECT count(*) FROM ONLY {relation.sql}"  # noqa: S608 (quoted)
                found.rows[oid] = int(session.value(count))
        return found

    def label(self, oid: int) -> str:
        return self.by_oid[oid].label

    def state(self, session: PsycopgSession) -> State:
        """Now, in the session's own transaction."""
        oids = list(self.by_oid)
        return State(
            locks=self._locks(session),
            work={oid: (scans or 0, changes or 0)
                  for oid, scans, changes in session.rows(QUERIES["work"], [oids])},
            files={oid: (node, size)
                   for oid, node, size in session.rows(QUERIES["filenodes"], [oids])},
            indexes=dict(session.rows(QUERIES["index_nodes"], [oids])),
        )  # fmt: skip

    def grows(self, work: Work) -> bool:
        """Whether the same statement would take longer on larger tables."""
        many = any(
            count >= BULK * max(self.rows.get(oid, 0), 1) for oid, count in work.changes.items()
        )
        return bool(work.scans or work.rewrites or work.indexes or many)

    def note_who_waits(
        self, session: PsycopgSession, probe: PsycopgSession, work: Work, held: dict[int, Lock]
    ) -> None:
        """Whose reads and writes have to wait, noted in `work`. Only what is held can keep anybody
        out: a table, its partition's parent, or an index of it."""
        pid = session.connection.info.backend_pid
        strong = {oid for oid, mode in held.items() if mode.strong}
        strong |= {
            row[0] for row in session.rows(QUERIES["held_indexes"], [pid, list(self.by_oid)])
        }
        if not strong:
            return
        for oid, relation in self.by_oid.items():
            if oid not in strong and not relation.parent:
                continue
            name = probe.value(QUERIES["name_now"], [oid])
            if name is None:
                continue
            if _waits(probe, f"EXPLAIN SELECT * FROM {name}"):  # noqa: S608 (quoted)
                work.no_reads.add(oid)
            write = f"EXPLAIN DELETE FROM {name} WHERE false"  # noqa: S608 (quoted)
            if relation.kind != "m" and _waits(probe, write):
                work.no_writes.add(oid)

    def named_by(self, session: PsycopgSession, statement: Statement) -> dict[int, str]:
        """The tables that the statement names, with their relatives; all when it names none."""
        tables = {oid: each.sql for oid, each in self.by_oid.items() if each.kind in "rp"}
        words = [word.strip('"') for word in _WORD.findall(statement.text)]
        asked = {"oids": list(tables), "words": [*words, *(word.lower() for word in words)]}
        named = [row[0] for row in session.rows(QUERIES["named"], asked)]
        return {oid: tables[oid] for oid in named} or tables

    def _locks(self, session: PsycopgSession) -> dict[int, Lock]:
        found: dict[int, Lock] = {}
        pid = session.connection.info.backend_pid
        for oid, mode in session.rows(QUERIES["locks"], [pid, list(self.by_oid)]):
            found[oid] = max(MODES[mode], found.get(oid, MODES[mode]))
        return found


def _waits(probe: PsycopgSession, sql: str) -> bool:
    try:
        probe.execute(sql)
    except MigrationError as error:
        return error.code == WAITED
    return False
