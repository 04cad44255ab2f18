"""What publications make of a change of rows, and which tables they lock; each measured on real
servers. Extended statistics, which lock alike."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.validate import validate

SCHEMA = """
CREATE TABLE keyed (id int PRIMARY KEY, b int); CREATE TABLE loose (id int, b int);
CREATE TABLE other (id int, b int); CREATE UNLOGGED TABLE cache (id int);
CREATE SCHEMA s; CREATE TABLE s.inside (id int);
CREATE STATISTICS dep ON id, b FROM keyed; CREATE STATISTICS ON id, b FROM loose;
CREATE PUBLICATION p FOR TABLE keyed, loose;
"""
ALL = "CREATE PUBLICATION x FOR ALL TABLES;"
KEYED = "ALTER PUBLICATION p SET TABLE keyed"
UPDATE_KEYED = "UPDATE keyed SET b = 3 WHERE id = 1"
UPDATE_LOOSE = "UPDATE loose SET b = 3 WHERE id = 1"


def report(sql):
    return validate(sql, file="m.sql", catalog=build(SCHEMA, version=18)[0])


@pytest.mark.parametrize(
    "sql",
    [
        UPDATE_LOOSE,
        "DELETE FROM loose WHERE false",
        f"EXPLAIN {UPDATE_LOOSE}",
        "MERGE INTO loose l USING keyed k ON k.id = l.id WHEN MATCHED THEN UPDATE SET b = 1",
        f"ALTER TABLE keyed DROP CONSTRAINT keyed_pkey; {UPDATE_KEYED}",
        f"ALTER TABLE keyed REPLICA IDENTITY NOTHING; {UPDATE_KEYED}",
        f"{KEYED} WHERE (b > 3); {UPDATE_KEYED}",
        f"{KEYED} (b); {UPDATE_KEYED}",
        f"{ALL} UPDATE other SET b = 1",
        f"{ALL} CREATE TABLE n (id int); UPDATE n SET id = 1",
        "CREATE PUBLICATION y FOR TABLES IN SCHEMA s; DELETE FROM s.inside",
        "ALTER TABLE loose RENAME TO l; UPDATE l SET b = 1",
        f"ALTER PUBLICATION p RENAME TO q; {UPDATE_LOOSE}",
    ],
)
def test_a_change_that_no_subscriber_could_follow_fails(sql):
    (error,) = report(sql).errors
    assert error.kind == "catalog"
    assert error.message.startswith("cannot ")
    assert "the publication" in error.message


@pytest.mark.parametrize(
    "sql",
    [
        UPDATE_KEYED,
        "INSERT INTO loose VALUES (1, 2)",
        "UPDATE other SET b = 1",
        f"ALTER TABLE loose REPLICA IDENTITY FULL; {UPDATE_LOOSE}",
        f"ALTER TABLE loose ADD PRIMARY KEY (id); {UPDATE_LOOSE}",
        f"ALTER PUBLICATION p SET (publish = 'insert'); {UPDATE_LOOSE}",
        f"ALTER PUBLICATION p DROP TABLE loose; {UPDATE_LOOSE}",
        f"ALTER PUBLICATION p RENAME TO q; ALTER PUBLICATION q DROP TABLE loose; {UPDATE_LOOSE}",
        f"{KEYED} (id, b); {UPDATE_KEYED}",
        f"{KEYED} WHERE (id > 3); {UPDATE_KEYED}",
        f"DROP PUBLICATION p; {UPDATE_LOOSE}",
        f"DROP TABLE loose; CREATE TABLE loose (id int, b int); {UPDATE_LOOSE}",
        f"ALTER TABLE loose RENAME TO l; CREATE TABLE loose (id int, b int); {UPDATE_LOOSE}",
        f"{ALL} DELETE FROM cache",
        f"{ALL} CREATE TEMP TABLE t (id int); UPDATE t SET id = 1",
    ],
)
def test_a_change_that_can_be_told_does_not(sql):
    assert report(sql).errors == ()


def test_from_the_text_alone_nothing_is_said_of_publications():
    sql = "ALTER PUBLICATION p ADD TABLE loose; DROP PUBLICATION q; UPDATE loose SET b = 1"
    assert validate(sql, file="m.sql").errors == ()


@pytest.mark.parametrize(
    ("sql", "locked"),
    [
        ("ALTER PUBLICATION p SET TABLE other", {"keyed", "loose", "other"}),
        ("ALTER PUBLICATION p SET TABLES IN SCHEMA s", {"keyed", "loose"}),
        ("ALTER PUBLICATION p ADD TABLE other", {"other"}),
        ("ALTER PUBLICATION p SET (publish = 'insert')", set()),
        ("DROP PUBLICATION p", set()),
        ("DROP STATISTICS dep", {"keyed"}),
        ("ALTER STATISTICS dep SET STATISTICS 100", set()),
        ("ALTER STATISTICS dep RENAME TO d; DROP STATISTICS d", {"keyed"}),
        ("ALTER STATISTICS dep SET SCHEMA s; DROP STATISTICS s.dep", {"keyed"}),
        ("DROP STATISTICS IF EXISTS loose_id_b_stat", {"loose"}),
    ],
)
def test_the_tables_that_it_lets_go_are_locked_too(sql, locked):
    found = report(sql)
    assert found.errors == ()
    assert found.locks == dict.fromkeys(locked, "ShareUpdateExclusiveLock")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("ALTER PUBLICATION q ADD TABLE other", 'publication "q" does not exist'),
        ("CREATE PUBLICATION p FOR TABLE other", 'publication "p" already exists'),
    ],
)
def test_a_publication_must_be_there_or_not(sql, message):
    (error,) = report(sql).errors
    assert error.message == message
