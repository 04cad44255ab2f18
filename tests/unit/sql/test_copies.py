"""A copy of a catalog may be changed, and the other one stays as it is."""

from collections.abc import Callable

import pytest

from shared.sql.analysis import build
from shared.sql.schema_objects import Key, Relation

TABLE = ("public", "t")
SCHEMA = """
CREATE TABLE nothing ();
CREATE TABLE t (a int, b text, CONSTRAINT positive CHECK (a > 0)) PARTITION BY RANGE (a);
CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (1) TO (2);
CREATE INDEX t_b ON t (b);
CREATE VIEW v AS SELECT a FROM t;
CREATE TYPE mood AS ENUM ('low');
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
"""


def test_a_copy_says_the_same_and_shares_nothing_that_changes() -> None:
    catalog, unread = build(SCHEMA, version=18)
    made = catalog.copy()

    assert not unread
    assert made == catalog
    for key, relation in catalog.relations.items():
        assert made.relations[key] is not relation
        for name in relation.__slots__:
            value = getattr(relation, name)
            if isinstance(value, dict | list | set) and name != "bound":
                assert getattr(made.relations[key], name) is not value, (key, name)
        for name, column in (relation.columns or {}).items():
            assert (made.relations[key].columns or {})[name] is not column
        for name, constraint in relation.constraints.items():
            assert made.relations[key].constraints[name] is not constraint


def test_what_is_changed_in_a_copy_stays_there() -> None:
    catalog, _ = build(SCHEMA, version=18)
    as_it_was = build(SCHEMA, version=18)[0]
    made = catalog.copy()

    table = made.relations[TABLE]
    assert table.columns is not None
    table.columns["a"].not_null = True
    del table.columns["b"]
    table.constraints["positive"].valid = False
    table.children.clear()
    made.relations["public", "nothing"].columns = None
    made.types["public", "mood"].labels.append("high")
    made.indexes["public", "t_b"].name = "other"
    made.routines["public", "f"][0].body = None
    del made.relations["public", "v"]

    assert catalog == as_it_was


@pytest.mark.parametrize(
    "reach",
    [
        lambda relations: relations[TABLE],
        lambda relations: relations.get(TABLE),
        lambda relations: relations.pop(TABLE),
        lambda relations: relations.setdefault(TABLE),
        lambda relations: next(each for each in relations.values() if each.name == "t"),
        lambda relations: next(each for _, each in relations.items() if each.name == "t"),
    ],
)
def test_what_was_kept_stays_as_it_was_however_it_is_reached(
    reach: Callable[[dict[Key, Relation]], Relation],
) -> None:
    catalog, _ = build(SCHEMA, version=18)
    first = catalog.kept()
    second = catalog.kept()

    change(reach(catalog.relations))
    assert first == second == build(SCHEMA, version=18)[0]
    first.share()
    change(reach(first.relations))
    assert second == build(SCHEMA, version=18)[0]


def test_what_comes_and_goes_is_not_in_what_was_kept() -> None:
    catalog, _ = build(SCHEMA, version=18)
    kept = catalog.kept()

    catalog.relations["public", "other"] = catalog.relations[TABLE]
    del catalog.relations[TABLE]
    catalog.go_on()
    assert type(catalog.relations) is dict
    assert kept == build(SCHEMA, version=18)[0]
    assert catalog.relations.get(TABLE) is None


def change(relation: Relation) -> None:
    relation.constraints.clear()
    relation.children.append(("public", "later"))
    for column in (relation.columns or {}).values():
        column.not_null = not column.not_null


def test_a_relation_is_copied_once() -> None:
    catalog, _ = build(SCHEMA, version=18)
    kept = catalog.kept()
    first = catalog.relations[TABLE]

    assert first is not kept.relations[TABLE]
    assert all(
        first is each
        for each in (
            catalog.relations.get(TABLE),
            next(each for each in catalog.relations.values() if each.name == "t"),
            dict(catalog.relations.items())[TABLE],
        )
    )
