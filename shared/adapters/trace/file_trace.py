"""Run a file statement by statement, as `psql -f` does, and see what each one does.

Each statement runs inside a transaction that is looked at before it ends: pg_locks for what it
holds, the transaction's own counters for what it read and changed, file nodes for what was copied.
While it is open, and when its work grows with a table, a second session tries to plan a read and a
write of each table: whether that has to wait is what clients would feel. What PostgreSQL does not
run inside a transaction is watched from outside (lock_watch).
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from psycopg.pq import TransactionStatus

from shared.adapters.named_queries import named_queries
from shared.adapters.postgres import PsycopgSession
from shared.adapters.trace.lock_watch import TABLES, watch
from shared.adapters.trace.statement_work import State, Work
from shared.adapters.trace.throwaway import ThrowAway
from shared.adapters.trace.traced_tables import TracedTables
from shared.domain.errors import MigrationError
from shared.sql.names import flag
from shared.sql.observation import Observation, SeenStatement
from shared.sql.parse import Statement

QUERIES = named_queries(__file__, "observe.sql")
NOT_IN_BLOCK = ("25001", "2D000")
"""PostgreSQL refuses the statement inside a transaction; it ends transactions itself."""
WITHOUT_BLOCK = frozenset({"LockStmt", "DeclareCursorStmt"})
"""Refused outside a block: to wrap them would hide it."""


class FileTrace:
    """One run of one file on one database of a throw-away server."""

    def __init__(self, server: ThrowAway, database: str) -> None:
        self._server = server
        self._database = database
        self._tables = TracedTables({}, {})
        self._unwatched: set[str] = set()

    def run(self, statements: Sequence[Statement]) -> Observation:
        """Run it. Ends at the first statement that fails, which is part of the answer."""
        with (
            self._server.session(self._database) as session,
            self._server.session(self._database) as probe,
        ):
            probe.execute("SET lock_timeout = '40ms'")
            version = str(session.value("SELECT current_setting('server_version')"))
            self._tables = TracedTables.now(session)
            found: list[SeenStatement] = []
            for statement in statements:
                work = self._statement(session, probe, statement)
                found.append(self._seen(statement, work))
                if work.error is not None:
                    break
        return Observation(version, tuple(found), self._not_seen(), frozenset(self._unwatched))

    def _not_seen(self) -> tuple[str, ...]:
        tables = sum(each.kind in "rp" for each in self._tables.by_oid.values())
        found = [f"locks outside of transactions on {name}" for name in sorted(self._unwatched)]
        if tables > TABLES:
            found.append(f"locks of CONCURRENTLY and VACUUM on more than {TABLES} tables")
        return tuple(found)

    def _statement(
        self, session: PsycopgSession, probe: PsycopgSession, statement: Statement
    ) -> Work:
        in_block = session.connection.info.transaction_status is TransactionStatus.INTRANS
        if statement.tag == "TransactionStmt" or statement.tag in WITHOUT_BLOCK or in_block:
            work = self._look(session, probe, statement, in_block=in_block)
            _commit_error(session, work)
            return work
        session.execute("BEGIN")
        work = self._look(session, probe, statement, in_block=True)
        if work.error is not None:
            session.execute("ROLLBACK")
            if work.error.code in NOT_IN_BLOCK:
                return self._outside(session, statement)
            return work
        try:
            session.execute("COMMIT")
        except MigrationError as error:
            work.error = error
        return work

    def _look(
        self,
        session: PsycopgSession,
        probe: PsycopgSession,
        statement: Statement,
        *,
        in_block: bool,
    ) -> Work:
        inside = in_block and statement.tag != "TransactionStmt"
        before = self._tables.state(session) if inside else State()
        work = _run(session, statement)
        if work.error is not None or not inside:
            return work
        after = self._tables.state(session)
        work.compare(before, after, statement)
        if self._tables.grows(work):
            self._tables.note_who_waits(session, probe, work, after.locks)
        return work

    def _outside(self, session: PsycopgSession, statement: Statement) -> Work:
        tables = self._tables.named_by(session, statement)
        # LOCK TABLE does not take a materialized view: nobody can hold one.
        self._unwatched |= {each.label for each in self._tables.by_oid.values() if each.kind == "m"}
        if flag(statement.node.get("options"), "skip_locked"):  # it passes over what we hold
            self._unwatched |= {self._tables.label(oid) for oid in tables}
        before = self._tables.state(session)
        started = time.perf_counter()
        watched = watch(self._server, self._database, session, statement.text, tables)
        work = Work(1000 * (time.perf_counter() - started), error=watched.error)
        if watched.error is not None:
            return work
        after = self._tables.state(session)
        after.locks = watched.locks
        work.compare(before, after, statement)
        strong = {oid for oid, mode in work.locks.items() if mode.strong}
        if (work.rewrites or work.indexes) and not _is_concurrent(statement):
            parents = session.rows(QUERIES["parents"], [list(self._tables.by_oid)])
            work.no_writes = strong
            work.no_reads = strong & (work.rewrites | work.indexes) | work.rewrites
            work.no_writes |= {p for oid, p, parted in parents if oid in strong and not parted}
            work.no_reads |= {parent for oid, parent, _ in parents if oid in work.no_reads}
        return work

    def _seen(self, statement: Statement, work: Work) -> SeenStatement:
        def names(oids: set[int]) -> tuple[str, ...]:
            return tuple(sorted(self._tables.label(oid) for oid in oids))

        return SeenStatement(
            index=statement.index,
            line=statement.line,
            column=statement.column,
            statement=statement.text,
            milliseconds=work.milliseconds,
            locks={self._tables.label(oid): mode.wire for oid, mode in work.locks.items()},
            rewrites=names(work.rewrites),
            scans=names(work.scans),
            changes={self._tables.label(oid): count for oid, count in work.changes.items()},
            blocks_reads_of=names(work.no_reads),
            blocks_writes_of=names(work.no_writes),
            error=work.error.message if work.error is not None else "",
            sqlstate=work.error.code if work.error is not None else "",
        )


def _is_concurrent(statement: Statement) -> bool:
    """CONCURRENTLY holds what is strong for an instant only, never while its work goes on."""
    node = statement.node
    return bool(node.get("concurrent")) or flag(node.get("params"), "concurrently")


def _commit_error(session: PsycopgSession, work: Work) -> None:
    """COMMIT of a failed block succeeds as a rollback: that is not the file running to its end."""
    if session.connection.info.transaction_status is TransactionStatus.INERROR and not work.error:
        work.error = MigrationError("the transaction has failed", code="25P02")


def _run(session: PsycopgSession, statement: Statement) -> Work:
    started, error = time.perf_counter(), None
    try:
        if statement.tag == "CopyStmt" and not {"is_from", "filename"} & statement.node.keys():
            session.drain(statement.text)
        else:
            session.execute(statement.text)
    except MigrationError as caught:
        error = caught
    return Work(1000 * (time.perf_counter() - started), error=error)
