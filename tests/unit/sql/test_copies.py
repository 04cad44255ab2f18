"""A copy of a catalog may be changed, and the other one stays as it is."""

from shared.sql.analysis import build

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

    table = made.relations["public", "t"]
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
