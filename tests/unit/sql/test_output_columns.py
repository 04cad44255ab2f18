"""Names of the columns of a view, of CREATE TABLE AS: each once, no more than there are columns;
found next to the seventeenth unseen set, measured on real servers."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.validate import validate

SCHEMA = """
CREATE TABLE a (id int, name text, kind text, at timestamp);
CREATE TABLE b (id int, name text);
CREATE TABLE c (other int);
"""
FORMS = ["CREATE VIEW v{} AS {}", "CREATE TABLE n{} AS {}", "CREATE MATERIALIZED VIEW m{} AS {}"]


def problems(sql: str) -> list[str]:
    found = validate(sql, file="m.sql", catalog=build(SCHEMA, version=18)[0])
    return [error.message for error in found.errors]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("query", "twice"),
    [
        ("SELECT id, id FROM a", "id"),
        ("SELECT a.id, b.id FROM a JOIN b ON a.id = b.id", "id"),
        ("SELECT * FROM a, b", "id"),
        ("SELECT *, name FROM a", "name"),
        ("SELECT b.*, a.name FROM a, b", "name"),
        ("SELECT lower(name), lower(kind) FROM a", "lower"),
        ("SELECT at, at::date FROM a", "at"),
        ("SELECT 1, id + 1 FROM a", "?column?"),
        ("SELECT current_date, current_date", "current_date"),
    ],
)
def test_a_name_that_two_columns_have(form: str, query: str, twice: str) -> None:
    assert problems(form.format("", query)) == [f'column "{twice}" specified more than once']
    assert problems(query) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "query",
    [
        "SELECT a.*, b.name AS other FROM a, b",
        "SELECT *, upper(name) FROM a",
        "SELECT * FROM a, c",
        "SELECT * FROM a x (p, q, r, s), b",
        "SELECT a.id, other FROM a, c",
        "SELECT current_date, current_user, localtime, now()",
        "SELECT (SELECT max(id) FROM a), (SELECT min(id) FROM b)",
        "SELECT coalesce(name, 'x'), 1, id FROM a",
    ],
)
def test_names_that_differ(form: str, query: str) -> None:
    assert problems(form.format("", query)) == []


def test_names_that_are_given() -> None:
    assert problems("CREATE VIEW v (x, y) AS SELECT id, id FROM a") == []
    assert problems("CREATE VIEW v (x) AS SELECT id, name FROM a") == []
    assert "3 names are given to 2 columns" in problems("CREATE VIEW v (x, y, z) AS TABLE b")
    assert problems("CREATE TABLE n (x, x) AS SELECT id, name FROM a") != []
