"""How much the validator does for a statement, counted in calls: that is the same on every machine,
however busy. How long it takes is a benchmark's (benchmarks/validate.py)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.validate_files import STATEMENTS, repeated, varied
from shared.sql.analysis import build
from shared.sql.validate import validate

MOST_CALLS = 190
"""For a statement, of functions in Python and in C: 160 and 124 are needed for these files, and
with a copy of the catalog at each BEGIN it was 1,590."""


def calls(work: Callable[[], Any]) -> int:
    """How many functions it calls."""
    found = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal found
        found += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return found


@pytest.mark.parametrize("made", [varied, repeated])
def test_a_statement_costs_so_much_and_no_more(made: Callable[[], str]) -> None:
    sql = made()
    validate("SELECT 1", file="first.sql")

    assert calls(lambda: validate(sql, file="f")) / STATEMENTS < MOST_CALLS


@pytest.mark.parametrize(
    "one",
    [
        "ALTER TABLE t{n} ADD COLUMN c int;\n",
        "BEGIN;\nALTER TABLE t{n} ADD COLUMN c int;\nCOMMIT;\n",
        "CREATE TABLE t{n} (id int PRIMARY KEY, a int REFERENCES s (id));\n",
        "CREATE INDEX ON t{n} (a);\n",
        "DROP TABLE t{n};\n",
        "UPDATE t{n} SET a = 1 WHERE id = 2;\n",
    ],
)
def test_twice_the_file_is_twice_the_work(one: str) -> None:
    def cost(size: int) -> int:
        sql = "".join(one.format(n=n) for n in range(size))
        return calls(lambda: validate(sql, file="f"))

    assert cost(600) < 2.2 * cost(300)


@pytest.mark.parametrize(
    "sql", ["ALTER TABLE t7 ADD COLUMN c int;", "DROP INDEX i7;", "DROP TABLE t7;"]
)
def test_a_statement_costs_no_more_in_a_large_schema(sql: str) -> None:
    """But for the catalog's own copy, which each validation makes."""

    def cost(tables: int) -> int:
        schema = "".join(
            f"CREATE TABLE t{n} (id int PRIMARY KEY); CREATE INDEX i{n} ON t{n} (id);"
            for n in range(tables)
        )
        catalog = build(schema, version=18)[0]
        copied = calls(catalog.copy)
        return calls(lambda: validate(sql, file="f", catalog=catalog)) - copied

    assert cost(200) < 1.5 * cost(20)
