"""Run a migration file statement by statement and see what each one does: the trace.

Before each statement that computes, the server is asked what its expressions mean
(expression_probe); what came of it is told by the catalogs after the statement.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from shared.adapters.rehearsal.expression_probe import meaning, meaning_settings, named_relation
from shared.adapters.rehearsal.row_changes import analysed_changes, grown_types, seen_change
from shared.adapters.rehearsal.row_copies import analysed_copy, check_calls, seen_copy
from shared.adapters.rehearsal.still_meant import (
    CalledFunctions,
    check_constraint_functions,
    constraint_functions,
    routines,
)
from shared.adapters.schema.catalog_snapshot import take_snapshot
from shared.domain.errors import Refused
from shared.domain.identifiers import ident
from shared.mapping.dropped_constraints import DroppedConstraints
from shared.mapping.model import Waiting
from shared.mapping.snapshot import Snapshot
from shared.mapping.statements import dropped_constraints, refused, runs_alone
from shared.mapping.trace import SeenChange, SeenCopy, SeenDown, Trace
from shared.ports import Session
from shared.sql.directives import Directives, Down
from shared.sql.parse import Statement

MEND = "mend the statement: nothing was changed, and the server would refuse it there too"
OID_OF = "SELECT to_regclass(%s)::oid::int8"


@dataclass
class FileRehearsal:
    """One run of one file in one session of a superuser."""

    session: Session
    statements: list[Statement]
    directives: Directives
    run_as: str
    changes: list[SeenChange] = field(default_factory=list)
    first_defaults: dict[tuple[int, int], str | None] = field(default_factory=dict)
    dropped: DroppedConstraints = field(default_factory=DroppedConstraints)
    copies: list[SeenCopy] = field(default_factory=list)
    called: CalledFunctions = field(default_factory=CalledFunctions)
    start: Snapshot = field(default_factory=Snapshot)
    """What was there before the file."""
    waiting: list[Waiting] = field(default_factory=list)
    """What runs in the pause, and not with the file."""

    def trace(self) -> Trace:
        """Run the file and say what it did.

        Raises Refused, with the line, for a statement that fails or that cannot be carried.
        """
        with self._block():
            before = last = self.start = take_snapshot(self.session)
            checking = constraint_functions(self.session)
            then = routines(self.session) if checking else {}
            for statement in self.statements:
                if statement.index in self.directives.at_cutover:
                    waits = Waiting(text=statement.text, settings=meaning_settings(self.session))
                    self.waiting.append(waits)
                    continue
                last = self._traced(statement, last)
            self.called.check(self.session)
            if checking:
                check_constraint_functions(then, routines(self.session), checking)
        downs = tuple(self._down(down, last) for down in self.directives.downs)
        return Trace(
            before, last, tuple(self.changes), downs, self.first_defaults, self.dropped.found,
            tuple(self.copies),
        )  # fmt: skip

    def _traced(self, statement: Statement, last: Snapshot) -> Snapshot:
        """Run one statement and note what it did; answers what is there after it."""
        session = self.session
        named = self._constraints_dropped_by_name(statement)
        analysed = analysed_changes(session, statement, last)
        targets = [copy.target for copy in self.copies]
        check_calls(session, statement)
        copied = analysed_copy(session, statement, self.start, targets, last)
        meanings = [change.meaning for change in analysed] + ([copied.meaning] if copied else [])
        self.called.note(session, statement, [oid for each in meanings for oid in each.calls])
        self._execute(statement)
        now = take_snapshot(session)
        self.dropped.note(last, now, *named)
        if copied is not None:
            self.copies.append(seen_copy(session, statement, copied, last, now))
        self._note_new_columns(last, now)
        self.changes += [seen_change(statement, item, last, now) for item in analysed]
        self.changes += list(grown_types(session, statement, self.start, last, now))
        return now

    def try_out_waiting(self) -> None:
        """What will run in the pause, on the shape that the file leaves."""
        with self.session.transaction():
            for statement, waits in zip(self._waiting(), self.waiting, strict=True):
                for name, value in waits.settings.items():
                    self.session.execute(f"SET LOCAL {name} = {value}")
                self._execute(statement)

    def _waiting(self) -> list[Statement]:
        return [s for s in self.statements if s.index in self.directives.at_cutover]

    def run(self) -> None:
        """Only run the file, in the way in which it will run on the target."""
        with self._block():
            for statement in self.statements:
                if statement.index not in self.directives.at_cutover:
                    self._execute(statement)

    def _block(self) -> AbstractContextManager[None]:
        explicit = any(statement.tag == "TransactionStmt" for statement in self.statements)
        alone = any(runs_alone(statement) for statement in self.statements)
        if self.directives.no_transaction or explicit or alone:
            return nullcontext()
        return self.session.transaction()

    def _execute(self, statement: Statement) -> None:
        """Foreign keys are not asked: the rows that a new one would point at are not here."""
        mine, inserts = statement.tag == "TransactionStmt", statement.tag == "InsertStmt"
        try:
            if inserts:
                self.session.execute("SET session_replication_role = replica")
            if not mine:
                self.session.execute(f"SET ROLE {ident(self.run_as)}")
            self.session.execute(statement.text)
        except Refused as error:
            why = f"fails on an empty copy of the schema ({error.message})"
            raise refused(statement, why, error.remedy or MEND) from error
        if not mine:
            self.session.execute("RESET ROLE")
        if inserts:
            self.session.execute("RESET session_replication_role")

    def _constraints_dropped_by_name(self, statement: Statement) -> tuple[int, tuple[str, ...]]:
        """The table's oid, and the names; before the statement runs."""
        found = dropped_constraints(statement)
        if found is None:
            return 0, ()
        relation, names = found
        return self.session.value(OID_OF, [relation]) or 0, names

    def _note_new_columns(self, last: Snapshot, now: Snapshot) -> None:
        for oid, relation in now.relations.items():
            earlier = last.relations.get(oid)
            if earlier is None:
                continue
            for column in relation.columns:
                if earlier.column(column.attnum) is None:
                    self.first_defaults[(oid, column.attnum)] = column.default

    def _down(self, down: Down, last: Snapshot) -> SeenDown:
        name = ident(down.schema, down.table) if down.schema else ident(down.table)
        table = named_relation(self.session, name, last)
        where = f"line {down.place.line}: down {down.table}.{down.column}"
        if table is None:
            raise Refused(
                f"{where}: there is no table {down.table} when the file has run",
                remedy="name the new table and the new column",
            )
        try:
            found = meaning(self.session, [down.expression], name, table.name, table.oid)
        except Refused as error:
            raise Refused(f"{where}: {error.message}", remedy=error.remedy or MEND) from error
        if found.problems:
            raise Refused(
                f"{where}: depends on {' and '.join(found.problems)}",
                remedy="compute the old value from the new row alone",
            )
        return SeenDown(down.place.line, table.oid, down.column, down.expression, found.reads)
