"""What files of the twelfth unseen set found wrong, and the statements next to them: IF EXISTS of
what is not there, a type that stays the same; each measured on real servers (tests/data/unseen)."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.validate import validate
from tests.support.said_locks import said_locks

SCHEMA = """
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int REFERENCES a, n int CHECK (n > 0), m int);
CREATE TABLE p (id int) PARTITION BY LIST (id);
CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1);
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER kept BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION keep();
CREATE POLICY mine ON a USING (true);
CREATE RULE quiet AS ON DELETE TO a DO INSTEAD NOTHING;
"""


def report(sql, *, schema=SCHEMA):
    return validate(sql, file="m.sql", catalog=build(schema, version=18)[0] if schema else None)


def locks(sql, **given):
    return said_locks(report(sql, **given))


@pytest.mark.parametrize("name", ["TRIGGER kept", "POLICY mine", "RULE quiet"])
def test_what_is_not_on_a_table_is_dropped_without_a_lock(name):
    kind, _, there = name.partition(" ")
    assert locks(f"DROP {name} ON a") == {"a": "AccessExclusive"}
    assert locks(f"DROP {kind} IF EXISTS {there} ON a") == {"a": "AccessExclusive"}
    assert locks(f"DROP {kind} IF EXISTS nope ON a") == {}
    assert locks(f"DROP {kind} IF EXISTS nope ON p") == {}


def test_what_may_be_on_a_table_is_dropped_with_its_lock():
    assert locks("DROP TRIGGER IF EXISTS t ON x", schema="") == {"x": "AccessExclusive"}


@pytest.mark.parametrize("name", ["TRIGGER kept", "POLICY mine", "RULE quiet"])
def test_it_is_known_by_its_new_name(name):
    kind, _, old = name.partition(" ")
    renamed = SCHEMA + f"ALTER {name} ON a RENAME TO other;"
    assert locks(f"DROP {kind} IF EXISTS other ON a", schema=renamed) == {"a": "AccessExclusive"}
    assert locks(f"DROP {kind} IF EXISTS {old} ON a", schema=renamed) == {}


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        ("a ALTER id TYPE int", {"a", "b"}),
        ("b ALTER id TYPE int", {"a", "b"}),
        ("b ALTER m TYPE int", {"b"}),
    ],
)
def test_a_foreign_key_is_made_again_even_for_the_same_type(change, taken):
    assert locks(f"ALTER TABLE {change}") == dict.fromkeys(taken, "AccessExclusive")
    assert not report(f"ALTER TABLE {change}").blocks_reads_of


def test_a_check_is_made_again_even_for_the_same_type():
    assert report("ALTER TABLE b ALTER n TYPE int").blocks_reads_of == ("b",)
    assert not report("ALTER TABLE b ALTER m TYPE int").blocks_reads_of


@pytest.mark.parametrize("kind", ["TABLE", "MATERIALIZED VIEW"])
def test_the_query_for_what_is_there_already_is_not_run(kind):
    made = SCHEMA + f"CREATE {kind} x AS SELECT 1 AS id;"
    again = f"CREATE {kind} IF NOT EXISTS x AS SELECT id"
    assert locks(f"{again} FROM p", schema=made) == {"p": "AccessShare"}
    assert locks(f"{again} FROM p") == {"p": "AccessShare", "p_1": "AccessShare"}


def test_a_temporary_table_is_another_one():
    made = "CREATE TEMP TABLE IF NOT EXISTS a AS SELECT id FROM p"
    assert locks(made) == {"p": "AccessShare", "p_1": "AccessShare"}
