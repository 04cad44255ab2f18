"""Run a migration file statement by statement and see what each one does: the trace.

Before each statement that computes, the server is asked what its expressions mean: they are put
into a temporary view, whose analysed tree and dependencies say what they read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from shared.adapters.schema.catalog_snapshot import QUERIES, take_snapshot
from shared.domain.errors import Refused
from shared.domain.identifiers import ident, literal
from shared.mapping.locality import SeenFunction, functions_in, names_users_objects, not_row_local
from shared.mapping.model import Waiting
from shared.mapping.new_rows import copied_rows
from shared.mapping.snapshot import SeenRelation, Snapshot
from shared.mapping.statements import (
    MAINTENANCE_REMEDY,
    Assigned,
    DataChange,
    TableCopy,
    data_changes,
    dropped_constraints,
    refused,
    runs_alone,
)
from shared.mapping.trace import (
    SeenAssignment,
    SeenChange,
    SeenCopy,
    SeenDown,
    SeenItem,
    Trace,
)
from shared.ports import Session
from shared.sql.directives import Directives, Down
from shared.sql.parse import Statement

MEND = "mend the statement: nothing was changed, and the server would refuse it there too"
OID_OF = "SELECT to_regclass(%s)::oid::int8"


@dataclass(frozen=True, slots=True)
class _Analysed:
    """A data change of the statement that comes next, as the server understands it."""

    table: int
    change: DataChange
    reads: tuple[int, ...]
    settings: dict[str, str]
    by_path: bool


@dataclass(frozen=True, slots=True)
class _AnalysedCopy:
    source: int
    copy: TableCopy
    expressions: tuple[str, ...]
    bare: tuple[str | None, ...]
    reads: tuple[int, ...]
    settings: dict[str, str]


@dataclass
class FileRehearsal:
    """One run of one file in one session of a superuser."""

    session: Session
    statements: list[Statement]
    directives: Directives
    run_as: str
    changes: list[SeenChange] = field(default_factory=list)
    first_defaults: dict[tuple[int, int], str | None] = field(default_factory=dict)
    dropped: dict[int, tuple[str, ...]] = field(default_factory=dict)
    copies: list[SeenCopy] = field(default_factory=list)
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
            for statement in self.statements:
                if statement.index in self.directives.at_cutover:
                    waits = Waiting(text=statement.text, settings=self._settings())
                    self.waiting.append(waits)
                    continue
                analysed = self._analyse(statement, last)
                copied = self._analyse_copy(statement, last)
                self._execute(statement)
                now = take_snapshot(self.session)
                if copied is not None:
                    self.copies.append(self._seen_copy(statement, copied, last, now))
                self._note_new_columns(last, now)
                self.changes += [_seen(statement, item, last, now) for item in analysed]
                self.changes += list(self._more_values(statement, last, now))
                last = now
        downs = tuple(self._down(down, last) for down in self.directives.downs)
        return Trace(
            before, last, tuple(self.changes), downs, self.first_defaults, self.dropped,
            tuple(self.copies),
        )  # fmt: skip

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

    def _note_new_columns(self, last: Snapshot, now: Snapshot) -> None:
        for oid, relation in now.relations.items():
            earlier = last.relations.get(oid)
            if earlier is None:
                continue
            for column in relation.columns:
                if earlier.column(column.attnum) is None:
                    self.first_defaults[(oid, column.attnum)] = column.default

    def _analyse(self, statement: Statement, now: Snapshot) -> list[_Analysed]:
        found = dropped_constraints(statement)
        if found is not None:
            relation, names = found
            oid = self.session.value(OID_OF, [relation])
            self.dropped[oid] = (*self.dropped.get(oid, ()), *names)
        changes = [(self._table(statement, c, now), c) for c in data_changes(statement)]
        return [
            _Analysed(table.oid, change, reads, self._settings(), by_path)
            for table, change in changes
            if table is not None
            for reads, by_path in [self._reads(statement, change, table)]
        ]

    def _analyse_copy(self, statement: Statement, now: Snapshot) -> _AnalysedCopy | None:
        """A copy from a table that was there before the file, as the server understands it."""

        def find(name: tuple[str, ...]) -> SeenRelation | None:
            return now.relations.get(self.session.value(OID_OF, [ident(*name)]))

        copy = copied_rows(statement, self.start, [copy.target for copy in self.copies], find)
        if copy is None:
            return None
        source = now.relations[self.session.value(OID_OF, [copy.source])]
        every = [column.name for column in source.columns]
        expressions: list[str] = []
        bare: list[str | None] = []
        for text, name in zip(copy.expressions, copy.bare, strict=True):
            expressions += [ident(each) for each in every] if text == "*" else [text]
            bare += every if text == "*" else [name]
        asked = DataChange(
            copy.source, copy.alias, tuple(Assigned("", text) for text in expressions),
            copy.condition,
        )  # fmt: skip
        reads, _ = self._reads(statement, asked, source)
        return _AnalysedCopy(
            source.oid, copy, tuple(expressions), tuple(bare), reads, self._settings()
        )

    def _seen_copy(
        self, statement: Statement, found: _AnalysedCopy, last: Snapshot, now: Snapshot
    ) -> SeenCopy:
        target = now.relations[self.session.value(OID_OF, [found.copy.target])]
        names = found.copy.columns or tuple(column.name for column in target.columns)
        source = last.relations[found.source]
        items = []
        for name, expression, bare in zip(names, found.expressions, found.bare, strict=False):
            column, read = target.named(name), source.named(bare) if bare else None
            assert column is not None, "the server took the statement"
            items.append(SeenItem(column.attnum, expression, read.attnum if read else None))
        return SeenCopy(
            statement, found.source, target.oid, found.copy.alias, tuple(items),
            found.copy.condition, found.reads, last, now, found.settings,
        )  # fmt: skip

    def _more_values(
        self, statement: Statement, last: Snapshot, now: Snapshot
    ) -> Iterator[SeenChange]:
        """A value that an enum type gets: the source's type does not know it, so its columns land
        as texts, and what does not fit there is noted as any other value that does not."""
        grown = {
            kind
            for kind, labels in now.labels.items()
            if kind in self.start.labels and labels.keys() - last.labels.get(kind, {}).keys()
        }
        for table in last.tables():
            columns = [column for column in table.columns if column.type_oid in grown]
            if columns and table.oid in self.start.relations:
                yield SeenChange(
                    statement=statement,
                    table=table.oid,
                    alias=table.name,
                    assignments=tuple(
                        SeenAssignment(c.attnum, ident(c.name), plain=True) for c in columns
                    ),
                    condition=None,
                    reads=tuple(column.attnum for column in columns),
                    retypes=True,
                    before=last,
                    after=now,
                    settings=self._settings(),
                )

    def _table(
        self, statement: Statement, change: DataChange, now: Snapshot
    ) -> SeenRelation | None:
        """The table that is changed; None when the statement will fail anyhow."""
        table = now.relations.get(self.session.value(OID_OF, [change.relation]))
        if table is not None and not table.is_table:
            raise refused(
                statement,
                f"{table.label} is a {'partition' if table.is_partition else 'view'}",
                "change the table itself, through its root",
            )
        return table

    def _reads(
        self, statement: Statement, change: DataChange, table: SeenRelation
    ) -> tuple[tuple[int, ...], bool]:
        """Columns that it reads, and whether its words mean something by the search_path only."""
        expressions = [item.expression for item in change.assignments]
        if change.condition is not None:
            expressions.append(change.condition)
        try:
            reads, problems, by_path = self._probe(
                expressions, change.relation, change.alias, table.oid
            )
        except Refused as error:
            raise refused(statement, error.message, error.remedy) from error
        if problems:
            raise refused(
                statement,
                f"it depends on {' and '.join(dict.fromkeys(problems))}, so rows that are written"
                " later cannot follow",
                MAINTENANCE_REMEDY,
            )
        return reads, by_path

    def _probe(
        self, expressions: Iterable[str], relation: str, alias: str, oid: int
    ) -> tuple[tuple[int, ...], list[str], bool]:
        """Columns that the expressions read, what they depend on besides their row, and whether
        they use anything that is not PostgreSQL's own."""
        picked = ", ".join(f"({text}) AS c{number}" for number, text in enumerate(expressions))
        query = f"SELECT {picked} FROM {relation} AS {ident(alias)}"  # noqa: S608 (the file's own)
        with self.session.transaction():
            self.session.execute(f"CREATE TEMP VIEW bluegreen_probe AS {query}")
            tree = str(self.session.value(QUERIES["tree"]))
            reads = tuple(int(row[0]) for row in self.session.rows(QUERIES["reads"], [oid]))
            called = self.session.rows(QUERIES["functions"], [functions_in(tree)])
            self.session.execute("DROP VIEW bluegreen_probe")
        problems = not_row_local(tree, [SeenFunction(*row) for row in called])
        return reads, problems, names_users_objects(tree)

    def _settings(self) -> dict[str, str]:
        row = self.session.row(QUERIES["settings"])
        assert row is not None, "settings are always there"
        path, zone, dates, intervals = row
        return {
            "search_path": f"{path}, pg_temp" if path else "pg_temp",
            "timezone": literal(zone),
            "datestyle": literal(dates),
            "intervalstyle": literal(intervals),
        }

    def _down(self, down: Down, last: Snapshot) -> SeenDown:
        name = ident(down.schema, down.table) if down.schema else ident(down.table)
        table = last.relations.get(self.session.value(OID_OF, [name]))
        where = f"line {down.place.line}: down {down.table}.{down.column}"
        if table is None:
            raise Refused(
                f"{where}: there is no table {down.table} when the file has run",
                remedy="name the new table and the new column",
            )
        try:
            reads, problems, _ = self._probe([down.expression], name, table.name, table.oid)
        except Refused as error:
            raise Refused(f"{where}: {error.message}", remedy=error.remedy or MEND) from error
        if problems:
            raise Refused(
                f"{where}: depends on {' and '.join(problems)}",
                remedy="compute the old value from the new row alone",
            )
        return SeenDown(down.place.line, table.oid, down.column, down.expression, reads)


def _seen(statement: Statement, item: _Analysed, last: Snapshot, now: Snapshot) -> SeenChange:
    columns = {column.name: column.attnum for column in last.relations[item.table].columns}
    return SeenChange(
        statement=statement,
        table=item.table,
        alias=item.change.alias,
        assignments=tuple(
            SeenAssignment(columns[a.column], a.expression, a.plain)
            for a in item.change.assignments
        ),
        condition=item.change.condition,
        reads=item.reads,
        retypes=item.change.retypes,
        before=last,
        after=now,
        settings=item.settings,
        by_path=item.by_path,
    )
