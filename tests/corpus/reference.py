"""What would be without Bluegreen: the same writes, and in their midst the file, simply run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import takewhile

from shared.adapters.dump.pg_dump import Server as Reached
from shared.adapters.schema.schema_copy import Copies, definitions
from shared.sql.parse import statements
from tests.corpus.case import Case
from tests.corpus.load import Load, Written
from tests.support.cluster import Server, postgres

OLD, NEW = "reference_old", "reference_new"
TABLES = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
GROUP BY c.relname ORDER BY c.relname
"""
_OBJECT = re.compile(r"^-- (?:Data for )?Name: .*?; Type: .*?; Schema: (\S+?); Owner:.*$", re.M)
Contents = dict[str, list[tuple[str | None, ...]]]


def create(case: Case) -> str:
    begin = f"CREATE SCHEMA {case.name}; SET search_path = {case.name};\n"
    return begin + case.sql(f"{case.schema}\n;{case.rows}")


def by_schema(dump: str) -> dict[str, list[str]]:
    """The lines of a dump that define something, by the schema that they belong to."""
    pieces = _OBJECT.split(dump)
    found: dict[str, list[str]] = {}
    for schema, text in zip(pieces[1::2], pieces[2::2], strict=True):
        found.setdefault(schema, []).extend(definitions(text))
    return found


@dataclass
class Reference:
    """Two databases: `old` lives in the old shape throughout; `new` is `old` and then the file."""

    server: Server
    cases: Sequence[Case] = ()
    file: str = ""
    _replayed: dict[str, int] = field(default_factory=dict)

    def begin(self, cases: Sequence[Case], file: str) -> None:
        """Anew, for another job."""
        self.cases, self.file, self._replayed = cases, file, {}
        with self.server.connect() as admin:
            for database in (OLD, NEW):
                admin.execute(f"DROP DATABASE IF EXISTS {database}")
            admin.execute(f"CREATE DATABASE {OLD} OWNER app")
        for case in self.cases:
            with self.server.connect(OLD, "app") as connection:
                connection.execute(create(case))

    def follow(self, load: Load) -> None:
        """Do in the old shape what was written since the last call, wherever it was written."""
        self._follow(load, ("old", "new"))

    def follow_until_switch(self, load: Load) -> None:
        """The same, up to the first write of the new shape."""
        self._follow(load, ("old",))

    def _follow(self, load: Load, shapes: tuple[str, ...]) -> None:
        for case in self.cases:
            written = load.written(case.name)[self._replayed.get(case.name, 0) :]
            taken = list(takewhile(lambda each: each.shape in shapes, written))
            self._replay(OLD, case, taken, meaning=True)
            self._replayed[case.name] = self._replayed.get(case.name, 0) + len(taken)

    def migrate(self) -> None:
        """`new` is made again from what `old` is now."""
        with self.server.connect() as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {NEW}")
            admin.execute(f"CREATE DATABASE {NEW} TEMPLATE {OLD} OWNER app")
        with self.server.connect(NEW, "app") as connection:
            for case in self.cases:
                connection.execute(f"SET search_path = {case.name}; {case.before_file}")
            if any(case.apart for case in self.cases):
                for statement in statements(self.file):
                    connection.execute(statement.text)
            else:
                with connection.transaction():
                    connection.execute(self.file)
            for case in self.cases:
                connection.execute(f"SET search_path = {case.name}; {case.after_file}")

    def use(self, load: Load) -> None:
        """Do in the new shape what was written there since `old` last followed."""
        for case in self.cases:
            written = load.written(case.name)[self._replayed.get(case.name, 0) :]
            self._replay(NEW, case, written, meaning=False)

    def _replay(
        self, database: str, case: Case, written: Sequence[Written], *, meaning: bool
    ) -> None:
        texts = [
            case.meaning(each.turn, each.n)
            if meaning and each.shape == "new"
            else case.write(each.shape, each.turn, each.n)
            for each in written
        ]
        with self.server.connect(database, "app") as connection:
            connection.execute(f"SET search_path = {case.name}")
            for text in texts:
                connection.execute(text)

    def definitions(self, database: str) -> dict[str, list[str]]:
        return by_schema(copies(self.server).dump(database))

    def contents(self, database: str, case: Case) -> Contents:
        columns = columns_of(self.server, database, case)
        return contents(self.server, database, case, columns)

    def columns(self, database: str, case: Case) -> dict[str, list[str]]:
        return columns_of(self.server, database, case)


def columns_of(server: Server, database: str, case: Case) -> dict[str, list[str]]:
    with server.connect(database) as connection:
        rows = connection.execute(TABLES, [case.name]).fetchall()
    return {table: [c for c in columns if c not in case.ignored] for table, columns in rows}


def contents(
    server: Server,
    database: str,
    case: Case,
    columns: Mapping[str, Sequence[str]],
    names: Mapping[str, tuple[str, Sequence[str]]] | None = None,
) -> Contents:
    """Rows of these tables as texts, in an order that only depends on them.

    `names` gives what a table and its columns are called there, where that is something else.
    """
    found: Contents = {}
    with server.connect(database) as connection:
        connection.execute("SET timezone = 'UTC'; SET row_security = off")
        for table, own in columns.items():
            relation, listed = names[table] if names else (f'{case.name}."{table}"', own)
            values = ", ".join(f'"{name}"::text COLLATE "C"' for name in listed)
            found[table] = sorted_rows(
                connection.execute(f"SELECT {values} FROM {relation}").fetchall()
            )
    return found


def sorted_rows(rows: Sequence[tuple[str | None, ...]]) -> list[tuple[str | None, ...]]:
    return sorted(rows, key=lambda row: [(value is not None, value or "") for value in row])


def copies(server: Server, user: str = "postgres", database: str = "app") -> Copies:
    return Copies(Reached("127.0.0.1", server.port, database, user, ""), server.bin)


@contextmanager
def reference(version: int) -> Iterator[Reference]:
    with postgres(version) as server:
        with server.connect() as admin:
            admin.execute("CREATE ROLE app LOGIN")
        yield Reference(server)
