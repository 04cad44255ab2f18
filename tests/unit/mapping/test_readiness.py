"""What blue-green will do with each statement is said from the syntax tree and the catalog."""

from __future__ import annotations

import pytest

from shared.domain.errors import Refused
from shared.mapping.readiness import readiness, rehearsed
from shared.sql.analysis import build

SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, email text, age int);
CREATE TABLE logs (body text);
ALTER TABLE logs REPLICA IDENTITY FULL;
CREATE TABLE named (id int PRIMARY KEY, body text);
ALTER TABLE named REPLICA IDENTITY FULL;
"""
KEYLESS = "CREATE TABLE notes (body text);"


def found(sql):
    return [(c.line, c.way) for c in readiness(sql, build(SCHEMA, version=18)[0]).changes]


@pytest.mark.parametrize(
    ("sql", "ways"),
    [
        ("ALTER TABLE users ADD COLUMN a int, DROP COLUMN age", ["green-only", "green-only"]),
        ("ALTER TABLE users ALTER COLUMN age TYPE text USING age::text", ["landing"]),
        ("UPDATE users SET email = lower(email)", ["landing"]),
        ("ALTER TABLE users RENAME COLUMN email TO mail", ["in-the-pause"]),
        ("ALTER TABLE users ALTER email DROP NOT NULL", ["in-the-pause"]),
        ("DROP TABLE users", ["green-only"]),
        ("CREATE TABLE t (a int); INSERT INTO t VALUES (1)", ["green-only", "green-only"]),
        ("COMMENT ON TABLE users IS 'x'", ["unchanged"]),
        ("ALTER TABLE logs ALTER body SET NOT NULL", ["green-only"]),
        ("ALTER TABLE logs RENAME body TO line", ["in-the-pause"]),
        ("ALTER TABLE named ADD COLUMN a int", ["green-only"]),
    ],
)
def test_what_is_carried_and_how(sql, ways):
    assert [way for _, way in found(sql)] == ways


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM users",
        "TRUNCATE users",
        "DO $$ BEGIN UPDATE users SET age = 1; END $$",
        "INSERT INTO users VALUES (1)",
        "UPDATE users SET age = (SELECT 1)",
        "UPDATE users SET age = o.age FROM users o",
        "UPDATE users SET age = random() * 10",
        "UPDATE users SET email = now()::text",
        "UPDATE users SET email = current_user",
        "UPDATE users SET id = id + 1",
        "ALTER TABLE users DROP COLUMN id",
        "ALTER TABLE users SET UNLOGGED",
        "-- bluegreen: at-cutover\nALTER TABLE users ADD COLUMN a int",
    ],
)
def test_what_cannot_be_carried_is_refused_with_a_remedy(sql):
    refusal = readiness(sql, build(SCHEMA, version=18)[0]).refusal
    assert refusal is not None
    assert refusal.remedy


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE logs ADD COLUMN a int",
        "ALTER TABLE logs DROP COLUMN body",
        "ALTER TABLE logs ALTER body TYPE varchar(20)",
        "UPDATE logs SET body = lower(body)",
        "ALTER TABLE logs ADD PRIMARY KEY (body); ALTER TABLE logs ADD COLUMN a int",
    ],
)
def test_rows_that_are_found_by_all_columns_need_those_to_stay(sql):
    """As the rehearsal refuses it; a key that the file itself adds comes too late."""
    refusal = readiness(sql, build(SCHEMA, version=18)[0]).refusal
    assert refusal is not None
    assert "changes columns of logs, whose REPLICA IDENTITY is FULL" in refusal.what
    assert "a primary key in a migration before this one" in refusal.remedy


def test_a_refusal_does_not_hide_the_others():
    assert found("DELETE FROM users;\nDROP TABLE logs;\nTRUNCATE users") == [
        (1, "refused"),
        (2, "green-only"),
        (3, "refused"),
    ]


def test_without_a_rehearsal_it_says_what_it_could_not_see():
    static = readiness("ALTER TABLE users ADD a int")
    assert static.as_json()["seenBy"] == "syntax"
    assert "only a rehearsal" in static.not_seen[0]


def test_a_rehearsal_adds_the_mapping_or_its_refusal():
    static = readiness("ALTER TABLE users ADD a int")
    ready = rehearsed(static, ["users.a int is new"], None).as_json()
    assert (ready["ready"], ready["seenBy"], ready["notSeen"]) == (True, "rehearsal", [])
    assert ready["mapping"] == ["users.a int is new"]
    refused = rehearsed(static, [], Refused("line 1: no", remedy="do that"))
    assert refused.refusal is not None
    assert (refused.refusal.what, refused.refusal.remedy) == ("line 1: no", "do that")


@pytest.mark.parametrize(
    ("sql", "refused"),
    [
        ("ALTER TABLE notes ADD COLUMN a int", 1),
        ("ALTER TABLE users ADD COLUMN a int", 1),
        ("DROP TABLE notes", 0),
    ],
)
def test_a_table_without_a_key_is_refused_wherever_it_stands(sql, refused):
    found = readiness(sql, build(SCHEMA + KEYLESS, version=18)[0]).changes
    told = [c.what for c in found if c.way == "refused"]
    assert told == ["table notes has no key by which replication could find its rows"] * refused


def test_a_deferrable_key_is_none():
    late = "CREATE TABLE late (id int PRIMARY KEY DEFERRABLE);"
    found = readiness("ALTER TABLE users ADD a int", build(SCHEMA + late, version=18)[0])
    refusal = found.refusal
    assert refusal is not None
    assert "late has no key" in refusal.what
    assert "DEFERRABLE" in refusal.remedy


def test_the_migrators_own_tables_need_no_key():
    ours = "CREATE SCHEMA bluegreen; CREATE TABLE bluegreen.probe (at timestamptz NOT NULL);"
    found = readiness("ALTER TABLE users ADD COLUMN a int", build(SCHEMA + ours, version=18)[0])
    assert [c.what for c in found.changes if c.way == "refused"] == []
