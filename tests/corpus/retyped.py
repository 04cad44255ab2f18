"""A case of one table with one column that gets another type, or whose type changes."""

from __future__ import annotations

from tests.corpus.case import Case

TO = "ALTER TABLE t ALTER COLUMN v TYPE "
DOWN = "-- bluegreen: down t.v = "


def retyped(
    name: str,
    old_type: str,
    file: str,
    old: tuple[str, ...],
    new: tuple[tuple[str, str], ...],
    row: str,
    *,
    before: str = "",
    **more: object,
) -> Case:
    """A table `t` with one column `v` of that type. `old`: SQL values that v is given; `new`: what
    it is given in the new shape, and the same in the old one; `row`: v of row n at first."""
    schema = f"{before} CREATE TABLE t (id int PRIMARY KEY, v {old_type}, other int DEFAULT 0);"
    writes = (
        *(f"INSERT INTO t (id, v) VALUES (@n, {value})" for value in old),
        *(f"UPDATE t SET v = {value} WHERE id = @n % 40 + 1" for value in old),
        "UPDATE t SET other = other + 1 WHERE id = @n % 40 + 1",
        "DELETE FROM t WHERE id = @n - 20",
    )
    used = [
        pair
        for there, here in new
        for pair in (
            (f"INSERT INTO t (id, v) VALUES (@n, {there})",
             f"INSERT INTO t (id, v) VALUES (@n, {here})"),
            (f"UPDATE t SET v = {there} WHERE id = @n % 40 + 1",
             f"UPDATE t SET v = {here} WHERE id = @n % 40 + 1"),
        )
    ]  # fmt: skip
    used += [(write, write) for write in writes[-2:]]
    rows = f"INSERT INTO t SELECT n, {row}, n FROM generate_series(1, 40) n"
    return Case(name, schema, file, writes, tuple(used), rows, **more)  # type: ignore[arg-type]
