"""What files of the eighteenth unseen set found wrong: rows of new tables that a foreign key looks
up, and keys over checked columns; measured on real servers (tests/data/unseen)."""

from __future__ import annotations

import pytest

from shared.domain.kinds import Kind
from shared.sql.analysis import build
from shared.sql.validate import validate
from tests.support.said_locks import said_locks

SCHEMA = """
CREATE TABLE people (id bigint PRIMARY KEY, name text);
CREATE TABLE moves (id bigint, sku text, span int4range,
  CONSTRAINT never EXCLUDE USING gist (span WITH &&));
"""
MADE = "CREATE TABLE e (p bigint); "
KEY = "ALTER TABLE e ADD FOREIGN KEY (p) REFERENCES people (id);"
PARTED = (
    "CREATE TABLE e (p bigint, k int) PARTITION BY LIST (k); "
    "CREATE TABLE e1 PARTITION OF e FOR VALUES IN (1); "
)


def report(sql, version=18):
    catalog = build(SCHEMA, version=version)[0]
    return validate(sql, file="m.sql", server_version=version, catalog=catalog)


def from_text(sql):
    return validate(sql, file="m.sql")


@pytest.mark.parametrize("how", [report, from_text])
@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE e AS SELECT id AS p FROM people; " + KEY,
        "SELECT id AS p INTO e FROM people; " + KEY,
        MADE + "INSERT INTO e SELECT id FROM people; " + KEY,
        MADE + "INSERT INTO e VALUES (1), (2); " + KEY,
        MADE + "WITH x AS (INSERT INTO e SELECT 1 RETURNING p) SELECT p FROM x; " + KEY,
        MADE + "DO $$ BEGIN INSERT INTO e SELECT 1; END $$; " + KEY,
        MADE + "INSERT INTO e SELECT 1; ALTER TABLE e RENAME TO f; "
        "ALTER TABLE f ADD FOREIGN KEY (p) REFERENCES people (id);",
        "PREPARE q AS SELECT 1::bigint AS p; CREATE TABLE e AS EXECUTE q; " + KEY,
        "CREATE TABLE e (x int); INSERT INTO e SELECT 1; "
        "ALTER TABLE e ADD COLUMN p bigint DEFAULT 1 REFERENCES people (id);",
        PARTED + "INSERT INTO e1 SELECT 1, 1; " + KEY,
        PARTED + "INSERT INTO e SELECT 1, 1; "
        "ALTER TABLE e1 ADD FOREIGN KEY (p) REFERENCES people (id);",
    ],
)  # fmt: skip
def test_rows_of_a_new_table_are_looked_up_while_writers_wait(how, sql):
    found = how(sql)

    assert found.blocks_writes_of == ("people",)
    assert found.blocks_reads_of == ()
    assert found.migration_type is not Kind.SAFE
    assert not found.errors


@pytest.mark.parametrize(
    "sql",
    [
        MADE + KEY,
        MADE + KEY + "INSERT INTO e SELECT id FROM people;",
        MADE + "INSERT INTO e SELECT id FROM people WHERE false; " + KEY,
        MADE + "INSERT INTO e SELECT id FROM people; TRUNCATE e; " + KEY,
        MADE + "INSERT INTO e SELECT id FROM people; ALTER TABLE e ADD COLUMN q bigint "
        "REFERENCES people (id);",
        "CREATE TABLE e AS SELECT id AS p FROM people WITH NO DATA; " + KEY,
        "CREATE TABLE e AS SELECT id AS p FROM people; "
        "ALTER TABLE e ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES people (id) NOT VALID; "
        "ALTER TABLE e VALIDATE CONSTRAINT k;",
    ],
)  # fmt: skip
def test_nobody_waits_for_a_table_without_rows_or_for_what_is_validated_later(sql):
    found = report(sql)

    assert found.blocks_writes_of == ()
    assert found.migration_type is Kind.SAFE
    assert said_locks(found)["people"] == "ShareRowExclusive"


def test_the_rows_of_a_new_partition_are_looked_up_for_the_keys_of_its_parent():
    found = report(
        "CREATE TABLE e (p bigint REFERENCES people (id), k int) PARTITION BY LIST (k); "
        "CREATE TABLE e1 AS SELECT id AS p, 1 AS k FROM people; "
        "ALTER TABLE e ATTACH PARTITION e1 FOR VALUES IN (1);"
    )

    assert found.blocks_writes_of == ("people",)


def test_a_new_type_looks_the_rows_of_a_new_table_up_again():
    made = "CREATE TABLE e (p integer REFERENCES people (id)); "
    retyped = "ALTER TABLE e ALTER COLUMN p TYPE bigint;"
    assert report(made + retyped).blocks_reads_of == ()
    assert report(made + "INSERT INTO e VALUES (1); " + retyped).blocks_reads_of == ("people",)


INDEX = "CREATE UNIQUE INDEX CONCURRENTLY m ON moves (id); "
USING = "ALTER TABLE moves ADD PRIMARY KEY USING INDEX m;"
CHECKED = "ALTER TABLE moves ADD CONSTRAINT c CHECK ({}) NOT VALID; "
VALIDATED = "ALTER TABLE moves VALIDATE CONSTRAINT c; "


@pytest.mark.parametrize("how", [report, from_text])
@pytest.mark.parametrize("check", ["id IS NOT NULL", "sku > '' AND id IS NOT NULL"])
def test_a_valid_check_proves_the_columns_of_a_primary_key_over_an_index(how, check):
    found = how(INDEX + CHECKED.format(check) + VALIDATED + USING)

    assert found.blocks_reads_of == found.blocks_writes_of == ()
    assert found.migration_type is Kind.SAFE


@pytest.mark.parametrize(
    "sql",
    [
        INDEX + USING,
        INDEX + CHECKED.format("id IS NOT NULL") + USING,
        INDEX + CHECKED.format("id > 0") + VALIDATED + USING,
        INDEX + CHECKED.format("sku IS NOT NULL") + VALIDATED + USING,
        INDEX
        + CHECKED.format("id IS NOT NULL")
        + VALIDATED
        + "ALTER TABLE moves DROP CONSTRAINT c, ADD PRIMARY KEY USING INDEX m;",
        "CREATE UNIQUE INDEX CONCURRENTLY m ON moves (id, sku); "
        + CHECKED.format("id IS NOT NULL")
        + VALIDATED
        + USING,
    ],
)
def test_without_that_every_row_is_looked_at(sql):
    assert report(sql).blocks_reads_of == ("moves",)


def test_a_primary_key_takes_no_mark_that_is_not_valid():
    mark = "ALTER TABLE moves ADD CONSTRAINT c NOT NULL id NOT VALID; "
    for key in (INDEX + mark + USING, mark + "ALTER TABLE moves ADD PRIMARY KEY (id);"):
        (error,) = report(key).errors
        assert "its NOT NULL constraint c is NOT VALID" in error.message
    marked = "ALTER TABLE moves ALTER id SET NOT NULL; ALTER TABLE moves ADD PRIMARY KEY (id);"
    assert not report(mark + marked).errors
    assert not report(INDEX + mark + VALIDATED + USING).errors
    assert not report(INDEX + mark + "ALTER TABLE moves ALTER id SET NOT NULL; " + USING).errors


@pytest.mark.parametrize(
    "then",
    [
        "ALTER TABLE moves ADD CONSTRAINT never EXCLUDE USING gist (span WITH =);",
        "CREATE INDEX never ON moves (sku);",
        "CREATE TABLE never (id int);",
    ],
)
def test_the_name_of_an_exclusion_constraint_is_free_when_it_is_dropped(then):
    assert not report("ALTER TABLE moves DROP CONSTRAINT never; " + then).errors
    assert any('relation "never"' in error.message for error in report(then).errors)
