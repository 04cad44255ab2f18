"""From the text alone: what only a schema could tell is taken for the worse; what the words of the
file say of a table is believed."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.report import Report
from shared.sql.validate import validate


def report(sql: str, *, schema: str | None = None) -> Report:
    catalog = None if schema is None else build(schema, version=18)[0]
    return validate(sql, file="m.sql", server_version=18, catalog=catalog)


@pytest.mark.parametrize("type_", ["contact", "crm.contact", "contact DEFAULT 'x'"])
def test_a_type_that_is_not_known_may_be_a_domain_with_a_constraint(type_):
    found = report(f"ALTER TABLE t ADD COLUMN c {type_}")
    assert found.rewrites_tables == ("t",)
    assert [w.rule for w in found.warnings if w.rule.startswith("add-")] == ["add-column-rewrites"]
    assert "if it is a domain with a constraint" in found.warnings[0].message
    assert any("a domain with a constraint" in each for each in found.not_seen)


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE t ADD COLUMN c text",
        "ALTER TABLE t ADD COLUMN c contact[]",
        "ALTER TABLE t ADD COLUMN c citext",
        "CREATE TYPE contact AS ENUM ('a'); ALTER TABLE t ADD COLUMN c contact",
        "CREATE DOMAIN contact AS text; ALTER TABLE t ADD COLUMN c contact",
        "CREATE TABLE t (id int); ALTER TABLE t ADD COLUMN c contact",
    ],
)
def test_a_type_that_is_known_or_stored_nowhere_costs_nothing(sql):
    assert report(sql).rewrites_tables == ()


def test_the_schema_says_what_the_type_is():
    schema = "CREATE TABLE t (id int); CREATE TYPE contact AS ENUM ('a');"
    assert report("ALTER TABLE t ADD COLUMN c contact", schema=schema).rewrites_tables == ()


def test_an_index_for_only_a_table_is_one_of_a_partitioned_table():
    only = "CREATE INDEX i ON ONLY t (a)"
    assert report(only).blocks_writes_of == ()
    assert report(only).locks == {"t": "ShareLock"}
    assert report("CREATE INDEX i ON t (a)").blocks_writes_of == ("t",)
    assert report(only, schema="CREATE TABLE t (a int);").blocks_writes_of == ("t",)


@pytest.mark.parametrize(
    ("then", "waits"),
    [
        ("ALTER TABLE t ADD COLUMN z uuid DEFAULT gen_random_uuid()", True),
        ("CREATE INDEX ON t (a)", True),
        ("ALTER TABLE t ADD CHECK (a > 3)", True),
        ("CREATE INDEX ON t (id)", False),
        ("CREATE INDEX CONCURRENTLY ON t (a)", False),
        ("ALTER TABLE t ADD CHECK (id > 3)", False),
    ],
)
def test_a_table_may_have_been_there_where_the_file_expects_other_columns_of_it(then, waits):
    found = report(f"CREATE TABLE IF NOT EXISTS t (id int); {then}")
    assert not found.errors
    assert found.blocks_writes_of == (("t",) if waits else ())
    assert report(f"CREATE TABLE t (id int); {then}").blocks_writes_of == ()
    known = report(f"CREATE TABLE IF NOT EXISTS t (id int); {then}", schema="SELECT 1;")
    assert known.blocks_writes_of == ()


def test_cascade_of_a_type_is_said_where_tables_are_made_of_it():
    changed = "ALTER TYPE spot ALTER ATTRIBUTE z TYPE float8"
    assert report(f"{changed} CASCADE").rewrites_tables
    assert not report(changed).rewrites_tables
