"""What ROLLBACK and ROLLBACK TO SAVEPOINT undo is not there for what follows; measured on real
servers (found with the eighteenth unseen set, tests/data/unseen)."""

from __future__ import annotations

import pytest

from shared.domain.kinds import Kind
from shared.sql import savepoints
from shared.sql.analysis import build
from shared.sql.validate import validate

SCHEMA = """
CREATE SCHEMA other; CREATE TYPE mood AS ENUM ('calm');
CREATE TABLE a (id bigint, n int); CREATE TABLE b (id bigint PRIMARY KEY);
CREATE INDEX a_n ON a (n);
"""
ADD = "ALTER TABLE a ADD COLUMN c text;"
FILL = "CREATE TABLE e (p bigint); BEGIN; INSERT INTO e SELECT id FROM b; {}; "
KEY = "ALTER TABLE e ADD FOREIGN KEY (p) REFERENCES b (id);"


def report(sql):
    return validate(sql, file="m.sql", catalog=build(SCHEMA, version=18)[0])


@pytest.mark.parametrize("back", ["ROLLBACK;", "ABORT;", "ROLLBACK WORK;"])
@pytest.mark.parametrize(
    ("first", "then"),
    [
        (ADD, ADD),
        ("DROP TABLE a;", ADD),
        ("CREATE TABLE d (id int);", "CREATE TABLE d (id int);"),
        ("CREATE TYPE t AS ENUM ('x');", "CREATE TYPE t AS ENUM ('x');"),
        ("ALTER TABLE a RENAME TO d;", ADD),
        ("DROP INDEX a_n;", "DROP INDEX CONCURRENTLY a_n;"),
        ("SET search_path = other;", ADD),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1;", "CREATE TABLE f (id int);"),
    ],
)
def test_after_the_block_everything_is_as_it_was(back, first, then):
    assert not report(f"BEGIN; {first} {back} {then}").errors


@pytest.mark.parametrize(
    "sql",
    [
        f"BEGIN; SAVEPOINT s; {ADD} ROLLBACK TO SAVEPOINT s; {ADD} COMMIT;",
        f"BEGIN; SAVEPOINT s; {ADD} ROLLBACK TO s; {ADD} ROLLBACK TO s; {ADD} COMMIT;",
        f"BEGIN; SAVEPOINT s; {ADD} SAVEPOINT t; DROP TABLE b; ROLLBACK TO t; COMMIT; "
        "INSERT INTO b VALUES (1); ALTER TABLE a DROP COLUMN c;",
        f"BEGIN; SAVEPOINT s; SAVEPOINT s; {ADD} ROLLBACK TO s; RELEASE s; ROLLBACK TO s; "
        f"{ADD} COMMIT;",
        f"BEGIN; {ADD} SAVEPOINT s; DROP TABLE a; ROLLBACK TO s; "
        "UPDATE a SET c = '' WHERE id = 1; COMMIT;",
        f"BEGIN; SAVEPOINT s; SET LOCAL search_path = other; ROLLBACK TO s; {ADD} COMMIT;",
        "BEGIN; SAVEPOINT s; ALTER TYPE mood ADD VALUE 'x'; ROLLBACK TO s; "
        "ALTER TYPE mood ADD VALUE 'x'; COMMIT;",
        f"BEGIN; SAVEPOINT s; {ADD} RELEASE SAVEPOINT s; COMMIT; "
        "BEGIN; SAVEPOINT s; ROLLBACK TO s; COMMIT;",
    ],
)  # fmt: skip
def test_after_going_back_to_a_savepoint_everything_is_as_it_was_there(sql):
    assert not report(sql).errors


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (f"BEGIN; {ADD} COMMIT; {ADD} BEGIN; ROLLBACK;", "already exists"),
        (f"BEGIN; {ADD} SAVEPOINT s; ROLLBACK TO s; {ADD} COMMIT;", "already exists"),
        ("BEGIN; CREATE TABLE d (id int); ROLLBACK; ALTER TABLE d ADD c int;", "does not exist"),
        (
            "BEGIN; SAVEPOINT s; CREATE TABLE d (id int); ROLLBACK TO s; TABLE d; COMMIT;",
            'relation "d" does not exist',
        ),
        ("BEGIN; ROLLBACK TO s; COMMIT;", 'savepoint "s" does not exist'),
        ("BEGIN; SAVEPOINT s; RELEASE s; ROLLBACK TO s; COMMIT;", 'savepoint "s" does not exist'),
        (
            "BEGIN; SAVEPOINT s; SAVEPOINT t; ROLLBACK TO s; RELEASE t; COMMIT;",
            'savepoint "t" does not exist',
        ),
        (
            "BEGIN; SAVEPOINT s; COMMIT; BEGIN; ROLLBACK TO s; COMMIT;",
            'savepoint "s" does not exist',
        ),
    ],
)
def test_what_was_not_undone_stays_and_what_was_is_gone(sql, message):
    (error,) = report(sql).errors
    assert message in error.message


def test_rows_that_go_back_in_are_not_destroyed():
    undone = report("BEGIN; SAVEPOINT s; DELETE FROM a; DROP TABLE b; ROLLBACK TO s; COMMIT;")
    assert not undone.destructive
    assert not undone.bulk_dml
    for kept in (
        "BEGIN; DELETE FROM a; SAVEPOINT s; ROLLBACK TO s; COMMIT;",
        "BEGIN; SAVEPOINT s; ROLLBACK TO s; DELETE FROM a; COMMIT;",
        "BEGIN; SAVEPOINT s; SAVEPOINT t; DELETE FROM a; RELEASE t; COMMIT; BEGIN; ROLLBACK;",
    ):
        assert report(kept).destructive


def test_a_column_that_was_not_made_anew_after_all_has_values():
    anew = "BEGIN; ALTER TABLE a DROP COLUMN n, ADD COLUMN n int; {} UPDATE a SET n = 0;"
    (update,) = [o for o in report(anew.format("ROLLBACK;")).operations if o.type == "UPDATE"]
    assert update.destructive
    (update,) = [o for o in report(anew.format("COMMIT;")).operations if o.type == "UPDATE"]
    assert not update.destructive


def test_a_limit_that_was_set_in_the_block_goes_with_it():
    limit = "BEGIN; SET lock_timeout = '1s'; {} " + ADD
    assert report(limit.format("COMMIT;")).lock_timeout_set
    assert not report(limit.format("ROLLBACK;")).lock_timeout_set


def test_locks_taken_since_are_let_go_and_those_before_are_held():
    wait = "SELECT count(*) FROM a; COMMIT;"
    lock = "LOCK TABLE b IN ACCESS EXCLUSIVE MODE;"
    assert report(f"BEGIN; {lock} SAVEPOINT s; ROLLBACK TO s; {wait}").blocks_reads_of == ("b",)
    assert report(f"BEGIN; SAVEPOINT s; {lock} ROLLBACK TO s; {wait}").blocks_reads_of == ()


def test_a_check_that_was_not_validated_after_all_proves_nothing():
    checked = "ALTER TABLE a ADD CONSTRAINT k CHECK (id IS NOT NULL) NOT VALID; "
    valid = "BEGIN; ALTER TABLE a VALIDATE CONSTRAINT k; {}; ALTER TABLE a ALTER id SET NOT NULL;"
    assert report(checked + valid.format("COMMIT")).blocks_reads_of == ()
    assert report(checked + valid.format("ROLLBACK")).blocks_reads_of == ("a",)


def test_rows_that_were_not_put_in_after_all_are_not_looked_up():
    assert report(FILL.format("COMMIT") + KEY).migration_type is not Kind.SAFE
    assert report(FILL.format("ROLLBACK") + KEY).migration_type is Kind.SAFE


def test_a_file_that_goes_back_too_often_is_followed_as_if_it_did_not(monkeypatch):
    monkeypatch.setattr(savepoints, "KEPT", 40)
    again = "BEGIN; CREATE TABLE d (id int); ROLLBACK; "
    assert not report(again * 2).errors
    found = report(again * 20)
    assert any("goes back too often" in each for each in found.not_seen)
    assert any('"d" already exists' in each.message for each in found.errors)


def test_the_catalog_that_was_given_is_not_changed():
    catalog = build(SCHEMA, version=18)[0]
    validate(f"BEGIN; {ADD} ROLLBACK; BEGIN; {ADD} COMMIT;", file="m.sql", catalog=catalog)
    assert "c" not in (catalog.relations[("public", "a")].columns or {})
