"""A bulk statement is bounded to a stretch of a key, and means what it meant."""

import pytest

from shared.domain.kinds import Kind
from shared.sql.batches import NoBatchesError, batched
from shared.sql.parse import statements
from shared.sql.validate import validate

BATCH = "-- bluegreen: batch table=orders key=id size=500\n"


@pytest.mark.parametrize(
    ("sql", "within"),
    [
        ("DELETE FROM t", "DELETE FROM t\nWHERE (K)"),
        ("DELETE FROM t -- all of them\n", "DELETE FROM t -- all of them\nWHERE (K)"),
        ("UPDATE t SET a = 1 WHERE b OR c", "UPDATE t SET a = 1 WHERE ( b OR c\n) AND (K)"),
        (
            "UPDATE t SET a = (SELECT 1 WHERE true)",
            "UPDATE t SET a = (SELECT 1 WHERE true)\nWHERE (K)",
        ),
        (
            "UPDATE t SET a = (SELECT 1 WHERE x) where c /* where */ AND s = 'where'",
            "UPDATE t SET a = (SELECT 1 WHERE x) WHERE ( c /* where */ AND s = 'where'\n) AND (K)",
        ),
        (
            "UPDATE t SET a = u.b FROM u WHERE t.id = u.id",
            "UPDATE t SET a = u.b FROM u WHERE ( t.id = u.id\n) AND (K)",
        ),
    ],
)
def test_the_condition_goes_where_it_belongs(sql: str, within: str) -> None:
    (statement,) = statements(sql)
    cut = batched(statement.tag, statement.text, statement.node, table="t", key="id")
    assert cut.within("K") == within
    assert (cut.table, cut.key, cut.key_in_statement) == ('"t"', '"id"', '"t"."id"')


def test_names_are_folded_and_quoted_as_sql_does() -> None:
    (statement,) = statements('UPDATE ONLY App."Big Orders" AS o SET a = 1')
    cut = batched(
        statement.tag, statement.text, statement.node, table='app."Big Orders"', key='"Id"'
    )
    assert cut.table == 'ONLY "app"."Big Orders"'
    assert cut.key_in_statement == '"o"."Id"'


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE u SET a = 1", "the statement changes u, not t"),
        ("UPDATE t SET id = id + 1", "it writes the key ID"),
        ("DELETE FROM t RETURNING a", "RETURNING"),
        ("WITH x AS (SELECT 1) DELETE FROM t", "WITH"),
    ],
)
def test_what_cannot_be_walked_is_said(sql: str, why: str) -> None:
    (statement,) = statements(sql)
    with pytest.raises(NoBatchesError, match=why):
        batched(statement.tag, statement.text, statement.node, table="t", key="ID")


@pytest.mark.parametrize(
    "sql", ["UPDATE orders SET state = 'old'", "DELETE FROM orders WHERE total = 0"]
)
def test_a_bulk_change_in_batches_is_safe_and_stands_alone(sql: str) -> None:
    file = f"CREATE TABLE x (a int);\n{BATCH}{sql};\nCREATE TABLE y (a int);"
    plain = validate(file.replace(BATCH, ""), file="f.sql")
    assert plain.migration_type is Kind.RISKY
    report = validate(file, file="f.sql", claimed=Kind.SAFE)
    assert report.errors == ()
    assert report.migration_type is Kind.SAFE
    assert [group.statements for group in report.plan] == [(0,), (1,), (2,)]
    batch = report.plan[1].batch
    assert batch is not None
    assert (batch.table, batch.key, batch.size) == ("orders", "id", 500)
    assert not report.plan[1].transaction


def test_a_batch_inside_a_block_is_an_error() -> None:
    report = validate(f"BEGIN;\n{BATCH}DELETE FROM orders;\nCOMMIT;", file="f.sql")
    (error,) = report.errors
    assert (error.kind, error.line) == ("directive", 2)
    assert "between BEGIN and COMMIT" in error.message


def test_a_batch_over_another_table_is_an_error() -> None:
    (error,) = validate(f"{BATCH}DELETE FROM customers;", file="f.sql").errors
    assert "the statement changes customers, not orders" in error.message
