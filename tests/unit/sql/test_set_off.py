"""What a change of rows sets off is followed: triggers, rules, actions of foreign keys."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.validate import validate

SCHEMA = """
CREATE TABLE cache (id bigint, total numeric);
CREATE TABLE setting (key text PRIMARY KEY, value text, at timestamptz);
CREATE TABLE account (id bigint PRIMARY KEY, name text);
CREATE TABLE orders (id bigint PRIMARY KEY, account_id bigint REFERENCES account ON DELETE CASCADE
  ON UPDATE CASCADE, total numeric);
CREATE TABLE line (id bigint PRIMARY KEY, order_id bigint REFERENCES orders ON DELETE CASCADE);
CREATE TABLE seen (id bigint, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE seen_2026 PARTITION OF seen FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE VIEW totals AS SELECT account_id, total FROM orders JOIN account ON account.id = account_id;
CREATE MATERIALIZED VIEW spent AS SELECT account_id, sum(total) FROM orders GROUP BY 1;
CREATE FUNCTION wipe() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN NULL; ELSIF TG_OP IN ('UPDATE', 'TRUNCATE') THEN TRUNCATE cache;
  ELSE DELETE FROM cache; END IF; RETURN NULL; END $$;
CREATE FUNCTION refreshed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  REFRESH MATERIALIZED VIEW spent; RETURN NULL; END $$;
CREATE TRIGGER wipe AFTER INSERT OR UPDATE OF value OR DELETE OR TRUNCATE ON setting
  FOR EACH STATEMENT EXECUTE FUNCTION wipe();
CREATE TRIGGER refreshed AFTER DELETE OR UPDATE ON line FOR EACH ROW EXECUTE FUNCTION refreshed();
CREATE TRIGGER refreshed AFTER INSERT ON seen FOR EACH ROW EXECUTE FUNCTION refreshed();
CREATE TRIGGER write INSTEAD OF UPDATE ON totals FOR EACH ROW EXECUTE FUNCTION wipe();
"""
UPDATE = "UPDATE setting SET value = 'x' WHERE key = 'a'"


def report(sql):
    return validate(sql, file="m.sql", catalog=build(SCHEMA, version=18)[0])


@pytest.mark.parametrize(
    ("sql", "mode"),
    [
        (UPDATE, "AccessExclusiveLock"),
        ("UPDATE setting SET at = now() WHERE key = 'a'", None),
        ("INSERT INTO setting VALUES ('b', '1')", None),
        ("DELETE FROM setting WHERE key = 'a'", "RowExclusiveLock"),
        ("TRUNCATE setting", "AccessExclusiveLock"),
        ("INSERT INTO setting VALUES ('a') ON CONFLICT (key) DO UPDATE SET value = '2'",
         "AccessExclusiveLock"),
        ("MERGE INTO setting s USING cache c ON s.key = 'a' WHEN MATCHED THEN UPDATE SET value = 1",
         "AccessExclusiveLock"),
        ("UPDATE totals SET total = 1", "AccessExclusiveLock"),
        (f"ALTER TABLE setting DISABLE TRIGGER wipe; {UPDATE}", None),
        (f"ALTER TABLE setting DISABLE TRIGGER USER; {UPDATE}", None),
        (f"DROP TRIGGER wipe ON setting; {UPDATE}", None),
    ],
)  # fmt: skip
def test_a_trigger_does_what_its_function_does_for_the_event(sql, mode):
    found = report(sql)
    assert not found.errors
    if "USING cache" not in sql:
        assert found.locks.get("cache") == mode
    assert found.destructive is (mode is not None)


def test_the_function_is_the_one_that_the_file_leaves():
    made = "CREATE OR REPLACE FUNCTION wipe() RETURNS trigger LANGUAGE plpgsql AS"
    found = report(f"{made} $$ BEGIN RETURN NULL; END $$; {UPDATE}")
    assert "cache" not in found.locks


@pytest.mark.parametrize("table", ["seen", "seen_2026"])
def test_a_trigger_of_a_partitioned_table_is_that_of_its_partitions(table):
    found = report(f"INSERT INTO {table} VALUES (1, '2026-05-05')")
    assert found.rewrites_tables == ("spent",)
    assert found.blocks_reads_of == ("spent",)


def test_rows_that_go_with_others_fire_triggers_too():
    found = report("DELETE FROM account WHERE id = 1")
    assert found.locks["line"] == "RowExclusiveLock"
    assert found.rewrites_tables == ("spent",)
    assert report("UPDATE account SET id = 2 WHERE id = 1").locks["orders"] == "RowExclusiveLock"
    assert "orders" not in report("UPDATE account SET name = 'x' WHERE id = 1").locks


def test_rules_stand_beside_or_in_the_place_of_a_statement():
    instead = "CREATE RULE r AS ON DELETE TO cache DO INSTEAD NOTHING; DELETE FROM cache"
    assert not report(instead).destructive
    also = "CREATE RULE r AS ON UPDATE TO cache DO ALSO DELETE FROM line; UPDATE cache SET id = 1"
    assert report(also).locks["line"] == "RowExclusiveLock"
    dropped = instead.replace("; DELETE", "; DROP RULE r ON cache; DELETE")
    assert report(dropped).destructive


def test_no_lock_on_what_an_insert_or_only_does_not_reach():
    tables = "CREATE TABLE base (id int); CREATE TABLE child () INHERITS (base);"
    catalog = build(tables, version=18)[0]
    for sql in ("INSERT INTO base VALUES (1)", "DELETE FROM ONLY base"):
        assert validate(sql, file="m.sql", catalog=catalog).locks.keys() == {"base"}
