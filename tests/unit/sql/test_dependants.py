"""What goes, or has to be changed, with a type or a function."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.validate import validate

SCHEMA = """
CREATE TYPE address AS (street text, city text);
CREATE TABLE typed OF address;
CREATE DOMAIN mail AS text CHECK (VALUE ~ '@');
CREATE DOMAIN work_mail AS mail;
CREATE DOMAIN note AS text;
CREATE TABLE person (id bigint PRIMARY KEY, mail work_mail, notes note[]);
CREATE VIEW mails AS SELECT mail FROM person;
CREATE FUNCTION slug(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(t) $$;
CREATE TABLE page (id bigint PRIMARY KEY, title text CHECK (slug(title) <> ''),
  slug text GENERATED ALWAYS AS (slug(title)) STORED);
CREATE INDEX page_slug ON page (slug(title));
CREATE VIEW slugs AS SELECT slug(title) FROM page;
"""


def report(sql):
    return validate(sql, file="m.sql", catalog=build(SCHEMA, version=18)[0])


def test_a_function_takes_generated_columns_along():
    found = report("DROP FUNCTION slug(text) CASCADE")
    assert found.destructive
    assert found.locks == dict.fromkeys(("page", "slugs"), "AccessExclusiveLock")
    assert len(report("DROP FUNCTION slug(text)").errors) == 4


@pytest.mark.parametrize(
    ("sql", "copies", "destroys"),
    [
        ("ADD ATTRIBUTE zip text CASCADE", (), False),
        ("DROP ATTRIBUTE city CASCADE", (), True),
        ("ALTER ATTRIBUTE city TYPE int CASCADE", ("typed",), False),
        ("RENAME ATTRIBUTE city TO town CASCADE", (), False),
    ],
)
def test_a_typed_table_is_changed_with_its_type(sql, copies, destroys):
    found = report(f"ALTER TYPE address {sql}")
    assert not found.errors
    assert found.locks == {"typed": "AccessExclusiveLock"}
    assert (found.rewrites_tables, found.destructive) == (copies, destroys)
    (error,) = report(f"ALTER TYPE address {sql.removesuffix(' CASCADE')}").errors
    assert "typed table" in error.message


def test_a_typed_table_has_the_columns_of_its_type():
    assert not report("ALTER TABLE typed NOT OF; ALTER TABLE typed DROP COLUMN city").errors


def test_a_domain_reaches_the_domains_made_of_it():
    found = report("ALTER DOMAIN mail ADD CHECK (length(VALUE) < 99)")
    assert found.blocks_writes_of == ("person",)
    gone = report("DROP DOMAIN mail CASCADE")
    assert gone.destructive
    assert gone.locks == dict.fromkeys(("mails", "person"), "AccessExclusiveLock")


def test_a_domain_of_which_there_are_arrays_cannot_be_limited():
    (error,) = report("ALTER DOMAIN note ADD CHECK (VALUE <> '')").errors
    assert '"person.notes" uses it' in error.message


def test_what_is_below_a_partition_waits_for_the_parent():
    tables = """CREATE TABLE m (at date, d int) PARTITION BY RANGE (at);
    CREATE TABLE m_1 PARTITION OF m FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
      PARTITION BY HASH (d);
    CREATE TABLE m_1_0 PARTITION OF m_1 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
    CREATE TABLE m_rest PARTITION OF m DEFAULT;"""
    make = "CREATE TABLE m_2 PARTITION OF m FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"
    found = validate(make, file="m.sql", catalog=build(tables, version=18)[0])
    assert found.blocks_reads_of == ("m", "m_1", "m_rest")
