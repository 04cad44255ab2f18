"""TRUNCATE of one partition is carried both ways, in its place among the other writes."""

from __future__ import annotations

import pytest

from tests.support.two_shapes import TwoShapes, two_shapes

DAYS = """
CREATE TABLE {0} (id int, day date, cents int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE {0}_early PARTITION OF {0} FOR VALUES FROM (MINVALUE) TO ('2026-02-01');
CREATE TABLE {0}_late PARTITION OF {0} FOR VALUES FROM ('2026-02-01') TO (MAXVALUE)
    PARTITION BY LIST (id);
CREATE TABLE {0}_late_one PARTITION OF {0}_late FOR VALUES IN (1);
CREATE TABLE {0}_late_more PARTITION OF {0}_late DEFAULT;
"""
TABLES = ("changed", "same")
SCHEMA = "".join(DAYS.format(table) for table in TABLES)
FILL = "INSERT INTO {0} SELECT n, date '2026-01-12' + n, n FROM generate_series(1, 40) n"
ROWS = ";".join(FILL.format(table) for table in TABLES)
FILE = """
-- bluegreen: down changed.amount = round(amount * 100)
ALTER TABLE changed RENAME cents TO amount;
ALTER TABLE changed ALTER amount TYPE numeric(12,2) USING amount / 100.0;
ALTER TABLE changed ADD COLUMN note text
"""


def in_sync(world: TwoShapes) -> dict[str, int]:
    """Both sides hold the same rows of the old shape: how many, by table."""
    counts = {}
    for table in world.mapping.tables:
        listed = ", ".join(f'"{c.sync}"::text' for c in table.columns if c.published)
        query = f"SELECT {listed} FROM {table.sync.sql} ORDER BY id, day"
        rows = world.rows_of(world.source, query)
        assert rows == world.rows_of(world.target, query), table.sync.label
        counts[table.sync.name] = len(rows)
    return counts


def empty_one(world: TwoShapes, server: str) -> None:
    """Between an INSERT that goes with it and one that stays, in one transaction."""
    for table in TABLES:
        world.run(
            getattr(world, server),
            f"INSERT INTO {table} VALUES (900, '2026-03-03', 1), (900, '2026-01-01', 1)",
            f"TRUNCATE {table}_late_more",
            f"INSERT INTO {table} VALUES (901, '2026-03-03', 2)",
            user="app",
        )


@pytest.mark.parametrize("version", [15, 18])
def test_a_partition_emptied_on_either_side_is_empty_on_both(version: int) -> None:
    with two_shapes(version, SCHEMA, ROWS, FILE) as world:
        world.fork()
        world.apply()
        empty_one(world, "source")
        world.caught_up(world.source, world.target)
        assert in_sync(world) == {"changed": 21, "same": 21}
        with world.source.connect("app") as admin:
            for table in TABLES:
                admin.execute(f"VACUUM FULL {table}_early")
                admin.execute(f"CLUSTER {table}_late_more USING {table}_late_more_pkey")
        world.switch()
        world.run(world.target, *(f"TRUNCATE {table}_early" for table in TABLES), user="app")
        world.run(world.target, *(FILL.format(table) for table in TABLES), user="app")
        empty_one(world, "target")
        world.back()
        assert in_sync(world) == {"changed": 21, "same": 21}
        world.run(world.source, "TRUNCATE changed, same", user="app")
        world.caught_up(world.source, world.target)
        assert in_sync(world) == {"changed": 0, "same": 0}


DIVIDED = (
    DAYS.format("days")
    + """
CREATE TABLE whole (id int, day date, cents int, PRIMARY KEY (id, day));
CREATE TABLE hours (id int, day date, cents int, note text, PRIMARY KEY (id, day))
    PARTITION BY RANGE (day);
CREATE TABLE hours_early PARTITION OF hours FOR VALUES FROM (MINVALUE) TO ('2026-02-01');
CREATE TABLE hours_late PARTITION OF hours FOR VALUES FROM ('2026-02-01') TO (MAXVALUE);
"""
)
OTHERWISE = """
CREATE TABLE days_new (id int, day date, cents int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE days_new_early PARTITION OF days_new FOR VALUES FROM (MINVALUE) TO ('2026-02-10');
CREATE TABLE days_new_late PARTITION OF days_new FOR VALUES FROM ('2026-02-10') TO (MAXVALUE);
INSERT INTO days_new SELECT id, day, cents FROM days;
DROP TABLE days;
ALTER TABLE days_new RENAME TO days;
CREATE TABLE parts (id int, day date, cents int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE parts_early PARTITION OF parts FOR VALUES FROM (MINVALUE) TO ('2026-02-01');
CREATE TABLE parts_late PARTITION OF parts FOR VALUES FROM ('2026-02-01') TO (MAXVALUE);
INSERT INTO parts SELECT id, day, cents FROM whole;
DROP TABLE whole;
ALTER TABLE parts RENAME TO whole;
CREATE TABLE notes (id int, day date, note text, PRIMARY KEY (id, day));
INSERT INTO notes SELECT id, day, note FROM hours;
ALTER TABLE hours DROP COLUMN note
"""
DIVIDED_TABLES = ("days", "whole", "hours")
EMPTIED = ("days_new_late", "parts_late", "hours_late")


@pytest.mark.parametrize("version", [15, 18])
def test_where_the_file_divides_anew_the_rows_go_before_the_partition_is_emptied(
    version: int,
) -> None:
    """Forward too: the root's TRUNCATE reaches the table that was copied from it."""
    rows = ";".join(FILL.format(table) for table in DIVIDED_TABLES[:2])
    rows += (
        "; INSERT INTO hours SELECT n, date '2026-01-12' + n, n, 'n' FROM generate_series(1, 40) n"
    )
    with two_shapes(version, DIVIDED, rows, OTHERWISE) as world:
        world.fork()
        world.apply()
        world.run(world.source, "TRUNCATE hours", user="app")
        world.run(world.source, "INSERT INTO hours VALUES (7, '2026-03-03', 7, 'seven')")
        world.switch()
        assert world.rows_of(world.target, "SELECT id, note FROM notes") == [(7, "seven")]
        world.run(world.target, *(f"TRUNCATE {name}" for name in EMPTIED), user="app")
        insert = "INSERT INTO {0} (id, day, cents) VALUES (902, '2026-03-03', 9)"
        world.run(world.target, *(insert.format(t) for t in DIVIDED_TABLES), user="app")
        assert world.rows_of(world.target, "SELECT id, note FROM notes") == [(7, "seven")]
        world.caught_up(world.target, world.source)
        assert counted(world) == {"days": 29, "whole": 20, "hours": 1}
        world.run(world.target, "TRUNCATE days", "TRUNCATE days_new_early, whole", user="app")
        world.run(world.target, "INSERT INTO days VALUES (903, '2026-03-03', 9)", user="app")
        world.run(
            world.target, "TRUNCATE whole", insert.format("whole"), "TRUNCATE parts_late",
            user="app",
        )  # fmt: skip
        world.caught_up(world.target, world.source)
        assert counted(world) == {"days": 1, "whole": 0, "hours": 1}
        world.back()
        world.switch()
        world.finish()
        left = "SELECT tgname FROM pg_trigger WHERE tgname LIKE '~bluegreen%'"
        assert world.rows_of(world.target, left) == []


def counted(world: TwoShapes) -> dict[str, int]:
    """Rows of each table, alike on both sides, while both wear the final names."""
    counts = {}
    for name in DIVIDED_TABLES:
        query = f"SELECT id, day, cents FROM {name} ORDER BY id, day"
        rows = world.rows_of(world.source, query)
        assert rows == world.rows_of(world.target, query), name
        counts[name] = len(rows)
    return counts


POINTED = """
CREATE TABLE days (day int PRIMARY KEY, n int) PARTITION BY LIST (day);
CREATE TABLE day_1 PARTITION OF days FOR VALUES IN (1);
CREATE TABLE day_2 PARTITION OF days FOR VALUES IN (2);
CREATE TABLE events (id int, day int REFERENCES days, PRIMARY KEY (id, day))
    PARTITION BY LIST (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2);
CREATE TABLE months (month int PRIMARY KEY, n int) PARTITION BY LIST (month);
CREATE TABLE month_1 PARTITION OF months FOR VALUES IN (1);
CREATE TABLE month_2 PARTITION OF months FOR VALUES IN (2);
CREATE TABLE bills (id int PRIMARY KEY, month int REFERENCES months);
"""
POINTED_ROWS = """
INSERT INTO days VALUES (1, 1), (2, 2); INSERT INTO events VALUES (1, 1), (2, 2);
INSERT INTO months VALUES (1, 1), (2, 2); INSERT INTO bills VALUES (1, 1), (2, 2)
"""
SUMS = """SELECT (SELECT count(*) FROM days), (SELECT count(*) FROM events),
(SELECT count(*) FROM months), (SELECT count(*) FROM bills)"""


@pytest.mark.parametrize("version", [15, 18])
def test_tables_that_point_at_partitions_are_emptied_with_them(version: int) -> None:
    file = "ALTER TABLE days ADD COLUMN w int; ALTER TABLE months ADD COLUMN w int"
    with two_shapes(version, POINTED, POINTED_ROWS, file) as world:
        world.fork()
        world.apply()
        world.run(world.source, "TRUNCATE month_2 CASCADE", user="app")
        world.caught_up(world.source, world.target)
        assert world.rows_of(world.target, SUMS) == [(2, 2, 1, 0)]
        world.run(world.source, "TRUNCATE days, events", user="app")
        world.caught_up(world.source, world.target)
        assert world.rows_of(world.target, SUMS) == [(0, 0, 1, 0)]
        world.run(world.source, "INSERT INTO days VALUES (1, 1), (2, 2)", user="app")
        world.run(world.source, "INSERT INTO events VALUES (1, 1), (2, 2)", user="app")
        world.switch()
        world.run(world.target, "TRUNCATE events_2", user="app")
        world.caught_up(world.target, world.source)
        assert world.rows_of(world.source, SUMS) == [(2, 1, 1, 0)]
        world.run(world.target, "TRUNCATE day_1 CASCADE", user="app")
        world.caught_up(world.target, world.source)
        assert world.rows_of(world.source, SUMS) == [(1, 0, 1, 0)]
