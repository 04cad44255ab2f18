"""Constraints that no statement of the file drops by name: rows that break them come back in a
rollback, and no constraint that says otherwise stands validated over them."""

from __future__ import annotations

import pytest

from shared.adapters.schema.schema_copy import definitions
from shared.mapping.prepare import not_settled, settle_source
from tests.support.migrated_server import copies
from tests.support.two_shapes import TwoShapes, two_shapes

SCHEMA = """
CREATE FUNCTION few(int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1 < 90000';
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE passing (id int PRIMARY KEY);
CREATE TABLE by_column (id int PRIMARY KEY, parent int NOT NULL CONSTRAINT a REFERENCES parent);
CREATE TABLE by_table (id int PRIMARY KEY, parent int CONSTRAINT b REFERENCES parent);
CREATE TABLE by_the_other (id int PRIMARY KEY, passing int CONSTRAINT c REFERENCES passing);
CREATE TABLE by_function (id int PRIMARY KEY, n int CONSTRAINT d CHECK (few(n)));
"""
ROWS = """
INSERT INTO parent SELECT generate_series(1, 9);
INSERT INTO passing VALUES (1);
INSERT INTO by_column VALUES (1, 1);
INSERT INTO by_table VALUES (2, 2);
INSERT INTO by_the_other VALUES (1, 1);
INSERT INTO by_function VALUES (1, 1)
"""
FILE = """
ALTER TABLE by_column DROP COLUMN parent;
DROP TABLE by_table;
DROP TABLE passing CASCADE;
ALTER TABLE by_function RENAME CONSTRAINT d TO e;
DROP FUNCTION few(int) CASCADE
"""
BREAK = """
INSERT INTO by_column VALUES (7);
DELETE FROM parent WHERE id = 2;
INSERT INTO by_the_other VALUES (7, 777);
INSERT INTO by_function VALUES (7, 100000)
"""
MEND = """
DELETE FROM by_column WHERE id = 7;
DELETE FROM by_table WHERE id = 2;
DELETE FROM by_the_other WHERE id = 7;
DELETE FROM by_function WHERE id = 7
"""
BROKEN = ["a of by_column", "b of by_table", "c of by_the_other", "d of by_function"]


def broken(world: TwoShapes) -> list[str]:
    query = not_settled(world.mapping)
    assert query is not None
    return sorted(row[0] for row in world.rows_of(world.source, query))


@pytest.mark.parametrize("version", [15, 18])
def test_it_comes_back_not_validated_until_the_rows_are_mended(version: int) -> None:
    with two_shapes(version, SCHEMA, ROWS, FILE) as world:
        before = definitions(copies(world.source).dump("app"))
        world.fork()
        world.apply()
        world.caught_up(world.source, world.target)
        world.switch()
        world.run(world.target, *BREAK.split(";"), user="app")
        world.back()
        world.run(world.source, *settle_source(world.mapping))
        assert broken(world) == BROKEN
        world.run(world.source, *MEND.split(";"), user="app")
        world.run(world.source, *settle_source(world.mapping))
        assert broken(world) == []
        assert definitions(copies(world.source).dump("app")) == before
