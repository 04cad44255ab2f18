"""What keeping two shapes in step costs: apply with our triggers, and the comparison of rows.

apply       rows a second that green applies with our triggers, over without them
comparison  rows a second of the comparison of both sides, over those of a plain hash of the same
            rows on both sides, each under the same load

Usage: python -m benchmarks.sync [ROWS]

ROWS (20,000) are written in each turn, to a table ten times as large. Fewer are a trial of the
bench itself: what costs a transaction, not a row, is then most of it, so that is not kept.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg

from benchmarks.bench import keep
from shared.domain.objects import FORWARD
from shared.mapping.triggers import create_triggers, drop_triggers
from tests.support.two_shapes import TwoShapes, two_shapes
from tests.support.validator_node import nodes_of
from tests.support.wait import until
from workers.validator.both_sides import Behind, BothSides
from workers.validator.progress import Progress
from workers.validator.row_comparison import RowComparison
from workers.validator.steps.compare_rows import LOOK_S

VERSION = 18
USUAL_ROWS = 20_000
TURNS = 5
LIMIT_S = 240.0
SCHEMA = """
CREATE TABLE users (
    id bigint PRIMARY KEY, name text NOT NULL, price int, bio text, visits int NOT NULL,
    seen timestamptz
);
"""
ROW = "'name ' || g, g % 5000, 'a biography of some length, number ' || g, 0, '2026-01-01'"
FILE = """
-- bluegreen: down users.price = round(price * 100)
-- bluegreen: down users.bio = bio #>> '{}'
ALTER TABLE users RENAME COLUMN name TO title;
ALTER TABLE users ALTER COLUMN price TYPE numeric(12,2) USING price / 100.0;
ALTER TABLE users ALTER COLUMN bio TYPE jsonb USING to_jsonb(bio);
ALTER TABLE users ADD COLUMN tier text;
UPDATE users SET tier = CASE WHEN price > 30 THEN 'dear' ELSE 'cheap' END;
"""
CHANGES = {
    "inserts": ("INSERT INTO users SELECT g, {row} FROM generate_series({first}, {last}) g", 0.6),
    "updatesElsewhere": ("UPDATE users SET visits = visits + 1 WHERE id <= {rows}", 0.8),
    "updatesCarried": ("UPDATE users SET price = price + 1 WHERE id <= {rows}", 0.4),
}
"""Each with its bound."""
COMPARISON_BOUND = 0.8


class Timed(Progress):
    read_at: float = 0.0
    """When the rows of both sides were all read (monotonic)."""

    def next_phase(self) -> None:
        super().next_phase()
        if self.phase == "target":
            self.read_at = time.monotonic()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks.sync", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("rows", nargs="?", type=int, default=USUAL_ROWS, metavar="ROWS")
    rows = parser.parse_args().rows
    began = time.monotonic()
    filling = f"INSERT INTO users SELECT g, {ROW} FROM generate_series(1, {rows * 10}) g"
    with two_shapes(VERSION, SCHEMA, filling, FILE, max_wal_size="4GB") as world:
        world.fork()
        world.apply()
        world.caught_up(world.source, world.target)
        result = {"rows": rows, "version": VERSION, **_apply(world, rows), **_comparison(world)}
    result["seconds"] = round(time.monotonic() - began, 1)
    if rows < USUAL_ROWS:
        print(json.dumps(result, indent=2))
    else:
        keep("sync", result)


def _apply(world: TwoShapes, rows: int) -> dict[str, object]:
    found: dict[str, object] = {}
    first = 100_000_000
    for name, (change, bound) in CHANGES.items():
        seconds: dict[str, list[float]] = {"with": [], "without": []}
        for turn in range(2 * TURNS):
            which = "with" if turn % 2 else "without"
            _triggers(world, on=which == "with")
            sql = change.format(row=ROW, rows=rows, first=first, last=first + rows - 1)
            first += rows
            seconds[which].append(_applied(world, sql))
        ratios = [a / b for a, b in zip(seconds["without"], seconds["with"], strict=True)]
        found[name] = {
            "ratio": round(statistics.median(ratios), 2), "bound": bound,
            "rowsPerSecond": round(rows / statistics.median(seconds["with"])),
        }  # fmt: skip
    _triggers(world, on=True)
    world.rederive()  # what was applied without them
    return found


def _triggers(world: TwoShapes, *, on: bool) -> None:
    """Without them there are none: a disabled one would have the row locked all the same."""
    statements = create_triggers if on else drop_triggers
    world.run(world.target, *statements(world.mapping, "sync"))


def _applied(world: TwoShapes, sql: str) -> float:
    """Seconds that green takes for what was committed while it did not listen."""
    with world.target.connect("app", "bg_replicator") as green:
        green.execute(f"ALTER SUBSCRIPTION {FORWARD} DISABLE")
        until(lambda: not _worker(green), limit_s=20, what="the apply worker ended")
        world.run(world.source, sql)
        began = time.monotonic()
        green.execute(f"ALTER SUBSCRIPTION {FORWARD} ENABLE")
        world.caught_up(world.source, world.target)
        return time.monotonic() - began


def _worker(session: psycopg.Connection) -> object:
    return session.execute(
        "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'logical replication worker'"
    ).fetchone()


def _comparison(world: TwoShapes) -> dict[str, object]:
    def write(connection: psycopg.Connection, count: int) -> None:
        connection.execute("UPDATE users SET visits = visits + 1 WHERE id = %s", (count % 9999,))

    plain: list[float] = []
    ours: list[float] = []
    raw: list[float] = []
    with world.writing(write):
        for _ in range(TURNS):
            plain.append(_timed(lambda: _plain(world)))
            began = time.monotonic()
            raw.append(_compare(world) - began)
            ours.append(time.monotonic() - began)
    ratios = [a / b for a, b in zip(plain, raw, strict=True)]
    whole = [a / b for a, b in zip(plain, ours, strict=True)]
    return {
        "comparison": {
            "ratio": round(statistics.median(ratios), 2), "bound": COMPARISON_BOUND,
            "withTargetChecks": round(statistics.median(whole), 2),
            "plainSeconds": round(statistics.median(plain), 2),
        }
    }  # fmt: skip


def _plain(world: TwoShapes) -> None:
    for server in (world.source, world.target):
        world.rows_of(server, "SELECT count(*), sum(hash_record_extended(t, 0)) FROM users t")


def _compare(world: TwoShapes) -> float:
    """Compares everything; when the rows of both sides were all read."""
    progress, blue_green = Timed(), nodes_of(world)
    source, target = blue_green.values()
    deadline = time.monotonic() + LIMIT_S
    with source.session(limit_s=120) as old, target.session(limit_s=120) as new:
        comparison = RowComparison(BothSides(old, new, FORWARD), world.mapping, progress)
        while progress.phase != "done":
            if time.monotonic() > deadline:
                raise SystemExit(f"no verdict within {LIMIT_S} s: {progress.confirmed}")
            with suppress(Behind):
                comparison.work(time.monotonic() + LOOK_S)
    if progress.confirmed:
        raise SystemExit(f"expected equal rows, found {progress.confirmed[:3]}")
    return progress.read_at


def _timed(work: Callable[[], None]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


if __name__ == "__main__":
    main()
