"""Which rows a file may add: to its own tables, and such that can follow what is written later."""

from __future__ import annotations

import pytest

from shared.domain.errors import Refused
from shared.mapping.new_rows import copied_rows
from shared.mapping.snapshot import SeenRelation, Snapshot
from shared.mapping.table_copies import TableCopy
from shared.sql.parse import statements

OLD, VIEW, MADE, COPY = (
    SeenRelation(1, "public", "old", "r"),
    SeenRelation(2, "public", "seen", "v"),
    SeenRelation(3, "public", "made", "r"),
    SeenRelation(4, "public", "copy", "r"),
)
BY_NAME = {("old",): OLD, ("seen",): VIEW, ("made",): MADE, ("copy",): COPY}
START = Snapshot({1: OLD})


def copied(sql: str) -> TableCopy | None:
    return copied_rows(statements(sql)[0], START, [COPY.oid], BY_NAME.get)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO made VALUES (1), (2)",
        "INSERT INTO made SELECT 1 FROM made",
        "CREATE TABLE fresh AS SELECT 1 AS a",
        "CREATE TABLE fresh AS SELECT * FROM old WITH NO DATA",
        "CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM old",
        "UPDATE old SET a = 1",
    ],
)
def test_rows_that_nobody_else_writes_are_no_copy(sql: str) -> None:
    assert copied(sql) is None


def test_a_copy_is_read_from_the_tree() -> None:
    copy = copied("INSERT INTO made (a, b) SELECT o.id, upper(v) FROM old AS o WHERE n > 0")
    assert copy is not None
    assert (copy.alias, copy.columns, copy.condition) == ("o", ("a", "b"), "n > 0")
    assert copy.expressions == ("o.id", "upper(v)")
    assert copy.bare == ("id", None)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO old VALUES (1)",
        "INSERT INTO copy VALUES (1)",
        "INSERT INTO made VALUES ((SELECT max(id) FROM old))",
        "INSERT INTO made SELECT id FROM old UNION SELECT 1",
        "INSERT INTO made SELECT id FROM old ON CONFLICT DO NOTHING",
        "INSERT INTO made SELECT id FROM copy",
        "INSERT INTO made SELECT id FROM seen",
        "INSERT INTO made SELECT old.id FROM old, made",
        "INSERT INTO made WITH x AS (SELECT * FROM old) SELECT * FROM x",
        "CREATE TABLE fresh AS SELECT DISTINCT id FROM old",
        "CREATE TABLE fresh AS SELECT id FROM old GROUP BY id",
        "CREATE TABLE fresh AS SELECT id FROM old LIMIT 3",
        "CREATE TABLE fresh AS SELECT o.id FROM old o JOIN made USING (id)",
    ],
)
def test_rows_that_could_not_follow_are_refused_with_a_remedy(sql: str) -> None:
    with pytest.raises(Refused) as found:
        copied(sql)
    assert found.value.remedy
