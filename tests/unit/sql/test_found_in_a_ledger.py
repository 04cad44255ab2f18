"""What files of the tenth and eleventh unseen set found wrong: transition tables, bodies written as
SQL, what is planned and not run; each measured on real servers (tests/data/unseen)."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.validate import validate
from tests.support.said_locks import said_locks

TRIGGER = """
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO b SELECT id, n FROM fresh; RETURN NULL; END $$;
CREATE TRIGGER keep AFTER INSERT ON a REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION keep();
"""
SCHEMA = f"""
CREATE TABLE a (id int, n int); CREATE TABLE b (id int, n int); CREATE TABLE c (id int);
{TRIGGER}
CREATE PROCEDURE wipe() LANGUAGE sql BEGIN ATOMIC DELETE FROM a; INSERT INTO b VALUES (1, 2); END;
CREATE FUNCTION wiped() RETURNS int LANGUAGE sql BEGIN ATOMIC DELETE FROM c RETURNING 1; END;
CREATE FUNCTION next(n int) RETURNS int LANGUAGE sql RETURN n + 1;
CREATE FUNCTION any_of(n int) RETURNS int LANGUAGE sql RETURN n + random()::int;
CREATE TABLE part (id int, k int) PARTITION BY LIST (k);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE INDEX ON part (id);
"""


def report(sql):
    return validate(sql, file="m.sql", catalog=build(SCHEMA, version=18)[0])


def locks(sql):
    return said_locks(report(sql))


def test_a_transition_table_is_no_table():
    assert locks("INSERT INTO a VALUES (1, 2)") == dict.fromkeys("ab", "RowExclusive")
    from_text = validate(f"{TRIGGER} INSERT INTO a VALUES (1, 2)", file="m.sql")
    assert set(from_text.locks) == {"a", "b"}


def test_its_name_is_that_of_a_table_again_elsewhere():
    trigger = "CREATE TRIGGER other AFTER INSERT ON c FOR EACH STATEMENT EXECUTE FUNCTION keep();"
    (error,) = report(f"{trigger} INSERT INTO c VALUES (1)").errors
    assert 'relation "fresh" does not exist' in error.message
    assert 'relation "fresh"' in report("SELECT * FROM fresh").errors[0].message


def test_a_body_written_as_sql_is_followed():
    found = report("CALL wipe()")
    assert found.destructive
    assert set(found.locks) == {"a", "b"}
    assert report("SELECT wiped()").destructive
    body = "BEGIN ATOMIC DELETE FROM a; INSERT INTO b SELECT id, n FROM a; END"
    made = f"CREATE FUNCTION f() RETURNS void LANGUAGE sql {body};"
    assert locks(made) == dict.fromkeys("ab", "RowExclusive")
    assert not report(made).destructive
    assert report(f"{made} SELECT f()").destructive


@pytest.mark.parametrize(("function", "copies"), [("next", ()), ("any_of", ("c",))])
def test_the_expression_behind_return_is_put_in_the_place_of_its_call(function, copies):
    found = report(f"ALTER TABLE c ADD COLUMN x int DEFAULT {function}(1)")
    assert found.rewrites_tables == copies


@pytest.mark.parametrize("how", ["EXPLAIN", "EXPLAIN (COSTS OFF)", "PREPARE x AS"])
def test_what_is_only_planned_sets_nothing_off(how):
    assert locks(f"{how} INSERT INTO a VALUES (1, 2)") == {"a": "RowExclusive"}
    assert not report(f"{how} SELECT wiped()").destructive
    assert set(locks("EXPLAIN ANALYZE INSERT INTO a VALUES (1, 2)")) == {"a", "b"}


@pytest.mark.parametrize("how", ["", "CONCURRENTLY "])
def test_reindex_of_a_schema_takes_partitions_by_themselves(how):
    found = locks(f"REINDEX SCHEMA {how}public")
    assert "part" not in found
    assert found["part_1"] == ("ShareUpdateExclusive" if how else "Share")


PARTITIONS = """
CREATE TABLE p (id int NOT NULL, k int) PARTITION BY LIST (k);
CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p_2 PARTITION OF p FOR VALUES IN (2) PARTITION BY HASH (id);
CREATE TABLE p_2_0 PARTITION OF p_2 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE n (id int NOT NULL, k int NOT NULL CHECK (k = 3));
"""
ATTACH = "ALTER TABLE p ATTACH PARTITION n FOR VALUES IN (3);"
ONLY = "CREATE INDEX i ON ONLY p (id);"
EACH = (
    "CREATE INDEX a ON p_1 (id); CREATE INDEX b ON ONLY p_2 (id); CREATE INDEX c ON p_2_0 (id); "
    "ALTER INDEX i ATTACH PARTITION a; ALTER INDEX i ATTACH PARTITION b;"
)


@pytest.mark.parametrize(
    ("before", "built"),
    [
        ("", False),
        (ONLY, True),
        (ONLY + "CREATE INDEX d ON n (id);", False),
        (ONLY + EACH + "ALTER INDEX b ATTACH PARTITION c;", True),
    ],
)
def test_attach_builds_an_index_that_was_made_for_only_the_parent(before, built):
    catalog = build(PARTITIONS, version=18)[0]
    found = validate(before + ATTACH, file="m.sql", catalog=catalog)
    assert not found.errors
    assert ("n" in found.operations[-1].tables and found.operations[-1].scans_table) is built


@pytest.mark.parametrize(
    ("last", "valid"), [("", False), ("ALTER INDEX b ATTACH PARTITION c", True)]
)
def test_an_index_for_only_the_parent_counts_when_each_partition_has_its_own(last, valid):
    catalog = build(PARTITIONS + ONLY + EACH + last, version=18)[0]
    assert catalog.indexes["public", "i"].valid is valid
    alone = "CREATE TABLE e (id int) PARTITION BY LIST (id); CREATE INDEX i ON ONLY e (id)"
    empty = build(alone, version=18)[0]
    assert empty.indexes["public", "i"].valid


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("CREATE TABLE p_9 PARTITION OF p FOR VALUES IN (9)", "whether p has a DEFAULT partition"),
        ("CREATE TABLE p_9 PARTITION OF p DEFAULT", ""),
        (
            "CREATE TABLE n (id int); ALTER TABLE p ATTACH PARTITION n FOR VALUES IN (9)",
            "whether p has a DEFAULT partition",
        ),
        ("ALTER TABLE p ADD COLUMN x iban", "whether the type iban is a domain"),
        ("ALTER TABLE p ADD COLUMN x text", ""),
        ("ALTER TABLE p ADD COLUMN x citext", ""),
        ("CREATE TYPE iban AS ENUM ('a'); ALTER TABLE p ADD COLUMN x iban", ""),
        ("CREATE TABLE p (id int); ALTER TABLE p ADD COLUMN x iban", ""),
    ],
)
def test_from_the_text_alone_it_is_said_what_could_make_it_hazardous(sql, what):
    found = [each for each in validate(sql, file="m.sql").not_seen if each.startswith("whether ")]
    assert [each.startswith(what) for each in found] == ([True] if what else [])
