"""The report of one file: claims, plan, what is refused, what is said when nothing can be seen."""

from __future__ import annotations

import json

import pytest

from shared.domain.kinds import Kind, Risk
from shared.sql.analysis import build
from shared.sql.validate import validate

SCHEMA = """
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id), state text);
CREATE VIEW adults AS SELECT id, age FROM users WHERE age > 17;
"""


def report(sql, *, schema=SCHEMA, **options):
    catalog = build(schema, version=18)[0] if schema is not None else None
    return validate(sql, file="m.sql", catalog=catalog, **options)


def errors(sql, **options):
    return [(f"{e.line}:{e.column}", e.kind, e.message) for e in report(sql, **options).errors]


def test_the_guides_example_is_answered_with_the_guides_names():
    found = report("ALTER TABLE users ADD COLUMN preferences JSONB DEFAULT '{}'").as_json()
    assert found["isValid"] is True
    assert found["operations"][0]["type"] == "ADD_COLUMN"
    assert found["operations"][0]["riskLevel"] == "LOW"
    assert found["operations"][0]["statement"].startswith("ALTER TABLE users")
    assert (found["warnings"], found["errors"], found["riskLevel"]) == ([], [], "LOW")
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("sql", "need"),
    [
        ("ALTER TABLE users ADD COLUMN b int", Kind.SAFE),
        ("CREATE INDEX CONCURRENTLY i ON users (email)", Kind.SAFE),
        ("ALTER TABLE users DROP COLUMN email", Kind.RISKY),
        ("UPDATE users SET age = age + 1", Kind.RISKY),
        ("VACUUM FULL users", Kind.MAINTENANCE),
        ("CREATE ACCESS METHOD m TYPE INDEX HANDLER h", Kind.MAINTENANCE),
    ],
)
def test_a_file_needs_what_its_statements_do(sql, need):
    assert report(sql).migration_type is need


def test_a_claim_below_the_need_is_an_error_with_statement_reason_and_remedy():
    (error,) = report("SELECT 1;\nDROP TABLE orders;", claimed=Kind.SAFE).errors
    assert (error.kind, error.line) == ("type", 2)
    assert "needs risky: DROP TABLE orders: gone afterwards: every row of orders" in error.message
    assert error.remedy


def test_a_claim_above_the_need_is_fine():
    assert report("ALTER TABLE users ADD b int", claimed=Kind.MAINTENANCE).is_valid


def test_without_a_schema_the_report_says_what_it_took_for_granted():
    found = report("ALTER TABLE nowhere ADD COLUMN b int", schema=None)
    assert found.is_valid
    assert "taken to exist" in found.not_seen[0]


def test_with_a_schema_a_missing_table_is_an_error_at_its_name():
    assert errors("SELECT 1;\nALTER TABLE Userz ADD b int") == [
        ("2:13", "catalog", 'relation "userz" does not exist')
    ]


def test_a_comment_on_a_column_of_no_table_is_an_error_not_a_crash():
    assert errors("COMMENT ON COLUMN email IS 'x'") == [
        ("1:1", "syntax", 'column "email" is of no table')
    ]


def test_one_problem_does_not_hide_the_others():
    found = errors("DROP TABLE a;\nALTER TABLET x;\nALTER SYSTEM SET a = 1;\nDROP TABLE b;")
    assert [(place, kind) for place, kind, _ in found] == [
        ("1:1", "catalog"),
        ("2:7", "syntax"),
        ("3:1", "forbidden"),
        ("4:1", "catalog"),
    ]


def plan(sql):
    return [(g.statements, g.transaction) for g in report(sql).plan]


def test_a_file_is_one_transaction():
    sql = "ALTER TABLE users ADD b int; ALTER TABLE orders ADD c int; CREATE TABLE t (a int)"
    assert plan(sql) == [((0, 1, 2), True)]


def test_work_that_grows_does_not_follow_a_strong_lock():
    sql = (
        "ALTER TABLE users ADD CONSTRAINT c CHECK (age > 0) NOT VALID;"
        "ALTER TABLE users VALIDATE CONSTRAINT c;"
    )
    assert plan(sql) == [((0,), True), ((1,), True)]


def test_concurrently_stands_alone_outside_a_transaction_and_without_lock_timeout():
    sql = "ALTER TABLE users ADD b int; CREATE INDEX CONCURRENTLY i ON users (b); SELECT 1"
    groups = report(sql).plan
    assert [(g.statements, g.transaction) for g in groups] == [
        ((0,), True),
        ((1,), False),
        ((2,), True),
    ]
    assert [g.lock_timeout for g in groups] == [True, False, True]
    assert [g.short_pause for g in groups] == [True, False, False]


def test_the_authors_own_block_is_obeyed():
    sql = "SELECT 1; BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 2; SELECT 3; COMMIT; SELECT 4"
    groups = report(sql).plan
    assert [g.statements for g in groups] == [(0,), (2, 3), (5,)]
    assert groups[1].begin == "BEGIN ISOLATION LEVEL SERIALIZABLE"


def test_no_transaction_runs_statements_one_by_one():
    assert plan("-- bluegreen: no-transaction\nSELECT 1; SELECT 2") == [
        ((0,), False),
        ((1,), False),
    ]


def test_validating_does_not_change_the_catalog():
    catalog = build(SCHEMA, version=18)[0]
    validate("DROP TABLE orders; DROP TABLE users CASCADE", file="m.sql", catalog=catalog)
    assert {name for _, name in catalog.relations} == {"users", "orders", "adults"}


def test_cascade_is_spelled_out_in_locks():
    found = report("DROP TABLE users CASCADE")
    assert set(found.locks) == {"users", "orders", "adults"}


def test_the_risk_of_a_file_is_that_of_its_worst_operation():
    assert report("SELECT 1; DROP TABLE orders").risk_level is Risk.HIGH
    assert report("ALTER TABLE users RENAME age TO years").risk_level is Risk.MEDIUM
