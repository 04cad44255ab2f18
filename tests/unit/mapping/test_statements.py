"""What a statement computes, from its syntax tree; and which statements are let through."""

from __future__ import annotations

import pytest

from shared.domain.errors import Refused
from shared.mapping.allowed import check_allowed, named_relations
from shared.mapping.data_changes import Assigned, DataChange, data_changes
from shared.mapping.statements import dropped_constraints
from shared.sql.parse import statements


def change(sql: str) -> DataChange:
    (found,) = data_changes(statements(sql)[0])
    return found


def test_every_using_of_one_alter_sees_the_same_row() -> None:
    found = change(
        'ALTER TABLE a.t ALTER p TYPE numeric USING p / 100.0, ALTER "Q" TYPE text,'
        " ALTER n TYPE bigint USING n::bigint, ADD c int"
    )
    assert found.relation == '"a"."t"'
    assert found.retypes
    assert found.assignments == (
        Assigned("p", "p / 100.0"),
        Assigned("Q", '"Q"', plain=True),
        Assigned("n", "n::bigint", plain=True),
    )


def test_an_update_keeps_its_alias_its_condition_and_rows_taken_apart() -> None:
    found = change("UPDATE t AS u SET (a, b) = (u.c || '%', 2), d = 'é' WHERE u.x > 1")
    assert found.alias == "u"
    assert found.condition == "u.x > 1"
    assert [(a.column, a.expression) for a in found.assignments] == [
        ("a", "u.c || '%'"),
        ("b", "2"),
        ("d", "'é'"),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE t SET a = o.a FROM o",
        "UPDATE t SET a = 1 RETURNING a",
        "WITH w AS (SELECT 1) UPDATE t SET a = 1",
        "UPDATE t SET (a, b) = (SELECT 1, 2)",
        "UPDATE t SET a[1] = 2",
        "UPDATE t SET a = DEFAULT",
    ],
)
def test_an_update_of_more_than_its_row_is_refused_with_its_line(sql: str) -> None:
    with pytest.raises(Refused, match="line 2: ") as found:
        data_changes(statements(f"\n{sql}")[0])
    assert found.value.remedy


def test_constraints_dropped_by_name_are_known() -> None:
    statement = statements("ALTER TABLE t DROP CONSTRAINT a, DROP CONSTRAINT b")[0]
    assert dropped_constraints(statement) == ('"t"', ("a", "b"))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT pg_catalog.set_config('search_path', '', false)",
        "CREATE TABLE made (id int); INSERT INTO made VALUES (1)",
        "ALTER TABLE t ADD c int; CREATE INDEX ON t (c); COMMENT ON TABLE t IS 'x'",
    ],
)
def test_what_leaves_existing_rows_alone_is_allowed(sql: str) -> None:
    check_allowed(statements(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT f()",
        "DO $$ BEGIN END $$",
        "CALL p()",
        "DELETE FROM t",
        "TRUNCATE t",
        "MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE",
        "ALTER TABLE t REPLICA IDENTITY FULL",
        "ALTER TABLE t ENABLE ALWAYS TRIGGER x",
    ],
)
def test_what_may_write_unseen_is_refused(sql: str) -> None:
    with pytest.raises(Refused) as found:
        check_allowed(statements(sql))
    assert found.value.remedy


def test_every_relation_of_the_file_is_named_also_those_that_are_dropped() -> None:
    found = named_relations(statements('DROP TABLE a.b; ALTER TABLE "C.d" ADD x int; DROP VIEW v'))
    assert found == [("a", "b"), ("C.d",), ("v",)]
