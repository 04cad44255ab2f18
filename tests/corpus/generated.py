"""Cases by chance: a table, changes to its columns, and writes whose meaning is known both ways.

The same seed gives the same case on every machine, so that `--only seed_17` plays it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.corpus.case import Case

ROWS = 40


@dataclass(frozen=True, slots=True)
class Change:
    """What the file does to a column `{c}`, and what is written there afterwards."""

    file: str
    new: str
    """A value in the new shape; empty: the column is gone."""
    old: str
    """What that value is in the old one."""
    down: str = ""
    lossy: bool = False
    """It forgets something of some values."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of column: its type, a value of row `@n`, and what may become of it."""

    type: str
    value: str
    changes: tuple[Change, ...]


def _same(value: str) -> Change:
    return Change("", value, value)


def _to(
    kind: str, using: str, new: str, old: str, down: str = "", *, lossy: bool = False
) -> Change:
    using = f" USING {using}" if using else ""
    file = f"ALTER TABLE t ALTER COLUMN {{c}} TYPE {kind}{using};"
    return Change(file, new, old, down, lossy)


KINDS = (
    Kind("int", "@n", (
        _same("@n"), _to("bigint", "", "@n", "@n"), _to("text", "", "'@n'", "@n"),
        _to("numeric(14,2)", "{c} / 100.0", "@n / 100.0", "@n", "round({c} * 100)"),
        Change("UPDATE t SET {c} = {c} + 5;", "@n + 5", "@n", "{c} - 5"),
    )),
    Kind("text", "'v @n'", (
        _same("'w @n'"), _to("varchar(200)", "", "'w @n'", "'w @n'"),
        _to("jsonb", "to_jsonb({c})", "to_jsonb('w @n'::text)", "'w @n'", "{c} #>> '{{}}'"),
        _to("text", "'<' || {c} || '>'", "'<w @n>'", "'w @n'", "substr({c}, 2, length({c}) - 2)"),
        Change("UPDATE t SET {c} = upper({c}) WHERE {c} LIKE 'never%';", "'w @n'", "'w @n'", "{c}"),
    )),
    Kind("text", "repeat('long @n ', 1500)", (
        _same("repeat('other @n ', 1500)"),
        _to("jsonb", "jsonb_build_object('t', {c})",
            "jsonb_build_object('t', repeat('other @n ', 1400))", "repeat('other @n ', 1400)",
            "{c} ->> 't'"),
    )),
    Kind("timestamp", "timestamp '2026-01-01' + @n * interval '1 min'", (
        _same("timestamp '2026-02-02' + @n * interval '1 s'"),
        _to("timestamptz", "{c} AT TIME ZONE 'Asia/Tokyo'", "timestamptz '2026-05-05 05:00+09'",
            "timestamp '2026-05-05 05:00'", "{c} AT TIME ZONE 'Asia/Tokyo'"),
        _to("date", "{c}::date", "date '2026-03-03'", "timestamp '2026-03-03'", "{c}::timestamp",
            lossy=True),
    )),
    Kind("date", "date '2026-01-01' + @n % 300", (
        _same("date '2026-02-02'"),
        _to("text", "to_char({c}, 'YYYYMMDD')", "'20260404'", "date '2026-04-04'",
            "to_date({c}, 'YYYYMMDD')"),
    )),
    Kind("boolean", "@n % 2 = 0", (
        _same("false"),
        _to("int", "CASE WHEN {c} THEN 1 WHEN NOT {c} THEN 0 END", "1", "true", "{c} = 1"),
    )),
    Kind("numeric(12,3)", "@n + 0.125", (
        _same("@n + 0.5"), _to("text", "{c}::text", "'@n.250'", "@n + 0.25", "{c}::numeric"),
    )),
    Kind("int[]", "ARRAY[@n, 2]", (
        _same("ARRAY[@n]"), _to("bigint[]", "", "ARRAY[@n]", "ARRAY[@n]"),
        _to("text", "array_to_string({c}, ',')", "'@n,7'", "ARRAY[@n, 7]",
            "string_to_array({c}, ',')::int[]"),
    )),
    Kind("uuid", "md5('@n')::uuid", (
        _same("md5('x@n')::uuid"), _to("text", "{c}::text", "md5('y@n')::uuid::text",
                                       "md5('y@n')::uuid", "{c}::uuid"),
    )),
)  # fmt: skip
KEYS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("k int PRIMARY KEY", lambda n: n),
    ("k text PRIMARY KEY", lambda n: f"'k' || ({n})"),
    ("k uuid PRIMARY KEY", lambda n: f"md5(({n})::text)::uuid"),
    ("k bigint NOT NULL UNIQUE, PRIMARY KEY (k)", lambda n: n),
)


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    kind: Kind
    change: Change
    final: str
    """Empty: dropped."""


def generated(seed: int) -> Case:
    chance = Random(seed)
    key, key_of = chance.choice(KEYS)
    columns = [_column(chance, f"c{i}") for i in range(chance.randint(2, 6))]
    table = chance.choice(("t", "t", "t_later"))
    declared = ", ".join(f"{c.name} {c.kind.type}" for c in columns)
    values = ", ".join(c.kind.value for c in columns)
    rows = "; ".join(
        f"INSERT INTO t VALUES ({key_of(str(n))}, {values.replace('@n', str(n))})"
        for n in range(1, ROWS + 1)
    )
    return Case(
        f"seed_{seed}",
        f"CREATE TABLE t ({_with_columns(key, declared)});",
        _file(chance, columns, table),
        _writes(chance, columns, key_of),
        _used(chance, columns, key_of, table),
        rows,
        lossy=any(column.change.lossy for column in columns),
    )


def _with_columns(key: str, declared: str) -> str:
    first, comma, rest = key.partition(",")
    return f"{first}, {declared}{comma}{rest}"


def _column(chance: Random, name: str) -> _Column:
    kind = chance.choice(KINDS)
    change = chance.choice(kind.changes)
    fate = chance.random()
    if fate < 0.15:
        return _Column(name, kind, Change("", "", ""), "")
    return _Column(name, kind, change, f"{name}_later" if fate > 0.75 else name)


def _file(chance: Random, columns: list[_Column], table: str) -> str:
    """Each column's own statements in their order, the columns in any order."""
    steps, downs = [], []
    for column in columns:
        if not column.final:
            steps.append([f"ALTER TABLE t DROP COLUMN {column.name};"])
            continue
        mine = [column.change.file.format(c=column.name)] if column.change.file else []
        if column.final != column.name:
            rename = f"ALTER TABLE t RENAME COLUMN {column.name} TO {column.final};"
            if chance.random() < 0.5 and column.change.file:
                mine = [rename, column.change.file.format(c=column.final)]
            else:
                mine.append(rename)
        steps.append(mine)
        if column.change.down:
            down = column.change.down.format(c=column.final)
            downs.append(f"-- bluegreen: down {table}.{column.final} = {down}")
    steps.append([f"ALTER TABLE t ADD COLUMN extra int NOT NULL DEFAULT {chance.randint(0, 9)};"])
    chance.shuffle(steps)
    lines = [line for step in steps for line in step]
    if table != "t":
        lines.append(f"ALTER TABLE t RENAME TO {table};")
    return "\n".join([*downs, *lines])


def _writes(
    chance: Random, columns: list[_Column], key_of: Callable[[str], str]
) -> tuple[str, ...]:
    names = ", ".join(column.name for column in columns)
    values = ", ".join(column.kind.value for column in columns)
    found = [f"INSERT INTO t (k, {names}) VALUES ({key_of('@n')}, {values})"]
    for column in chance.sample(columns, min(3, len(columns))):
        value = chance.choice((column.kind.value, column.kind.value, "NULL"))
        found.append(f"UPDATE t SET {column.name} = {value} WHERE k = {key_of('@n % 40 + 1')}")
    found.append(f"DELETE FROM t WHERE k = {key_of('@n - 20')}")
    return tuple(found)


def _used(
    chance: Random, columns: list[_Column], key_of: Callable[[str], str], table: str
) -> tuple[tuple[str, str], ...]:
    left = [column for column in columns if column.final]
    new_names = "".join(f", {column.final}" for column in left)
    old_names = "".join(f", {column.name}" for column in left)
    new = "".join(f", {column.change.new}" for column in left)
    old = "".join(f", {column.change.old}" for column in left)
    found = [
        (f"INSERT INTO {table} (k{new_names}) VALUES ({key_of('@n')}{new})",
         f"INSERT INTO t (k{old_names}) VALUES ({key_of('@n')}{old})"),
        (f"UPDATE {table} SET extra = extra + 1 WHERE k = {key_of('@n % 40 + 1')}", "SELECT 1"),
        (f"DELETE FROM {table} WHERE k = {key_of('@n - 9')}",
         f"DELETE FROM t WHERE k = {key_of('@n - 9')}"),
    ]  # fmt: skip
    for column in chance.sample(left, min(3, len(left))):
        where = f"WHERE k = {key_of('@n % 40 + 1')}"
        found.append(
            (f"UPDATE {table} SET {column.final} = {column.change.new} {where}",
             f"UPDATE t SET {column.name} = {column.change.old} {where}")
        )  # fmt: skip
    return tuple(found)
