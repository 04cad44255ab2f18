"""A unique column whose `down` makes one value of two: the report says so; the second row stops the
way back, which goes on once it is mended, and nothing is lost."""

from __future__ import annotations

import pytest

from tests.support.two_shapes import TwoShapes, two_shapes
from tests.support.wait import until

SCHEMA = """
CREATE TABLE goods (id int PRIMARY KEY, cents int NOT NULL UNIQUE, rank int);
CREATE UNIQUE INDEX goods_rank ON goods (rank) WHERE rank > 0;
"""
ROWS = "INSERT INTO goods SELECT n, n * 100, n FROM generate_series(1, 9) n"
FILE = """
-- bluegreen: down goods.cents = round(cents * 100)
ALTER TABLE goods ALTER cents TYPE numeric(12,4) USING cents / 100.0
"""
RUNS = "SELECT subenabled FROM pg_subscription WHERE subname = 'bluegreen_reverse'"
WHAT = (
    "goods.cents must be unique on the old side, and what is written on the new one comes back to"
)


@pytest.mark.parametrize("version", [15, 18])
def test_it_is_said_before_and_nothing_is_lost(version: int) -> None:
    with two_shapes(version, SCHEMA, ROWS, FILE) as world:
        told = [text for text in world.mapping.warnings if "must be unique" in text]
        assert [text[: len(WHAT)] for text in told] == [WHAT]
        world.fork()
        world.apply()
        world.switch()
        write(world, "INSERT INTO goods VALUES (100, 77.0001), (101, 88)")
        world.caught_up(world.target, world.source)
        write(world, "INSERT INTO goods VALUES (102, 77.0002)")
        until(lambda: world.rows_of(world.source, RUNS) == [(False,)], limit_s=30, what="it stops")
        write(world, "INSERT INTO goods VALUES (103, 99)")
        assert '"goods_cents_key"' in (world.source.root / "log").read_text()
        world.run(
            world.source, "UPDATE goods SET bluegreen_l_cents = -1 WHERE id = 100", user="postgres"
        )
        world.run(world.source, "ALTER SUBSCRIPTION bluegreen_reverse ENABLE", user="postgres")
        world.caught_up(world.target, world.source)
        here = "SELECT id, bluegreen_l_cents FROM goods WHERE id > 99 ORDER BY id"
        assert world.rows_of(world.source, here) == [
            (100, -1),
            (101, 8800),
            (102, 7700),
            (103, 9900),
        ]


def write(world: TwoShapes, statement: str) -> None:
    world.run(world.target, statement, user="app")
