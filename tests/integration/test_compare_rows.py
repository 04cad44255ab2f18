"""The verdict: 0 different under writes; what is different is named by its key."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest

from shared.domain.errors import Broken, Refused
from shared.domain.facts import Verdict
from shared.domain.migration import Job
from shared.domain.objects import FORWARD
from shared.ports import Done, Pending
from shared.runner import forward
from tests.integration.test_mapping_cycle import write_others, write_users
from tests.support.shapes import FILE, ROWS, SCHEMA
from tests.support.two_shapes import TwoShapes, two_shapes
from tests.support.validator_node import Remembered, job_for, nodes_of
from workers.validator.both_sides import Behind, BothSides
from workers.validator.progress import Progress
from workers.validator.row_comparison import RowComparison
from workers.validator.steps.compare_rows import CompareRows

PIECES_LIMIT_S = 60.0
KEYLESS = "CREATE TABLE notes (body text); ALTER TABLE notes REPLICA IDENTITY FULL;"
LOSSY = """
DROP VIEW user_card;
ALTER TABLE users ALTER COLUMN mail TYPE text USING lower(mail);
"""


def step_for(world: TwoShapes) -> CompareRows:
    return CompareRows(nodes_of(world), Remembered())  # type: ignore[arg-type]


def verdict_of(step: CompareRows, job: Job) -> Verdict:
    for _ in range(40):
        answer = forward(step, job)
        if isinstance(answer, Done):
            return Verdict.model_validate(answer.facts)
        assert isinstance(answer, Pending)
    raise AssertionError(f"expected a verdict within 40 looks, found {answer}")


@pytest.fixture(scope="module")
def world() -> Iterator[TwoShapes]:
    rows = ROWS + "INSERT INTO notes VALUES ('a'), ('a');"
    with two_shapes(15, SCHEMA + KEYLESS, rows, FILE) as w:
        w.fork()
        w.apply()
        yield w


def test_rows_are_equal_while_the_application_writes(world: TwoShapes) -> None:
    step, job = step_for(world), job_for(world)
    with world.writing(write_users, write_others, write_notes):
        verdict = verdict_of(step, job)
    assert verdict.rows_different == 0
    assert verdict.rows_compared >= 1700
    assert "users.legacy (dropped)" in verdict.columns_not_compared
    assert step.is_done(job)
    assert step.recall(job) == verdict.model_dump(mode="json")
    step.undo(job)
    assert not step.is_done(job)


def write_notes(connection: psycopg.Connection, count: int) -> None:
    """A table without a key, found by its whole row."""
    if count % 50 == 0:
        connection.execute("INSERT INTO notes VALUES (%s)", (f"late {count}",))
        connection.execute("UPDATE notes SET body = body || '.' WHERE body LIKE 'late%'")


@contextmanager
def damaged(world: TwoShapes, table: str, where: str, damage: str) -> Iterator[None]:
    """The target with something done to it behind replication's back, and put right again."""
    world.caught_up(world.source, world.target)
    with world.target.connect("app", "bg_replicator") as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(f"CREATE TEMP TABLE kept AS SELECT * FROM {table} WHERE {where}")
        assert connection.execute(damage).rowcount == 1
        yield
        connection.execute(f"DELETE FROM {table} WHERE {where}")
        connection.execute(f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM kept")


@pytest.mark.parametrize(
    ("table", "where", "damage", "named"),
    [
        (
            "users", "id = 17", "UPDATE users SET age = 1000 WHERE id = 17",
            "row users id=17 differs",
        ),
        (
            "orders", "id = 41", "DELETE FROM orders WHERE id = 41",
            "row orders id=41 is missing on the target",
        ),
        (
            "events", "id = 100000", "INSERT INTO events (id, n) VALUES (100000, 1)",
            "row events id=100000 is only on the target",
        ),
        (
            "logs", "id = 3", "UPDATE logs SET what = 'null' WHERE id = 3",
            "row logs (id, day)=(3, 2025-12-04) differs",
        ),
        (
            "users", "id = 20", "UPDATE users SET bluegreen_r_price = 1.5 WHERE id = 20",
            "row users id=20 was computed otherwise than by the file",
        ),
        ("notes", "body = 'b'", "INSERT INTO notes VALUES ('b')", "table notes (no key)"),
        (
            "orders", "id = 2", "UPDATE orders SET user_id = 999999 WHERE id = 2",
            "foreign key orders_user: 1 rows of purchases have no parent, one is 999999",
        ),
    ],
)  # fmt: skip
def test_a_row_that_differs_is_named(
    world: TwoShapes, table: str, where: str, damage: str, named: str
) -> None:
    with damaged(world, table, where, damage):
        step, job = step_for(world), job_for(world)
        with pytest.raises(Broken, match="expected equal rows") as found:
            verdict_of(step, job)
        assert named in found.value.message
        assert not step.is_done(job)


DAMAGE = """
UPDATE ints SET v = v || '!' WHERE id IN (1, 7, 207, 208, 1000);
DELETE FROM pairs WHERE (a, b) IN ((0, 'k0'), (7, 'k7'), (9, 'k99'));
INSERT INTO names VALUES ('', 'before all'), ('zz', 'behind all'), ('n5', 'n5 and a half');
UPDATE ids SET v = NULL WHERE n % 333 = 0;
INSERT INTO bag VALUES (1);
DELETE FROM hot WHERE id = 2;
DELETE FROM bag WHERE ctid IN (SELECT ctid FROM bag WHERE n = 2 LIMIT 1);
"""
PIECES = """
CREATE TABLE ints (id int PRIMARY KEY, v text);
CREATE TABLE pairs (b text, a int, v text, PRIMARY KEY (a, b));
CREATE TABLE names (name text PRIMARY KEY, v text);
CREATE TABLE ids (id uuid PRIMARY KEY, n int, v text);
CREATE TABLE hot (id int PRIMARY KEY, n int);
CREATE TABLE bag (n int);
ALTER TABLE bag REPLICA IDENTITY FULL;
"""
PIECES_ROWS = """
INSERT INTO ints SELECT g, 'v' FROM generate_series(1, 1000) g;
INSERT INTO pairs SELECT 'k' || g, g % 10, 'v' FROM generate_series(0, 999) g;
INSERT INTO names SELECT 'n' || g * 2, 'v' FROM generate_series(1, 1000) g;
INSERT INTO ids SELECT md5(g::text)::uuid, g, 'v' FROM generate_series(1, 1000) g;
INSERT INTO hot VALUES (1, 0), (2, 0);
INSERT INTO bag SELECT g % 3 FROM generate_series(1, 100) g;
INSERT INTO bag VALUES (3), (5000);
"""


def test_no_row_hides_at_the_end_of_a_piece_or_among_its_like() -> None:
    """Tables that are read in many pieces, by keys of every sort, while rows are written."""
    with two_shapes(18, PIECES, PIECES_ROWS, "ALTER TABLE ints ADD COLUMN w int;") as world:
        world.fork()
        world.apply()
        world.caught_up(world.source, world.target)
        with world.writing(write_pieces):
            assert compared_in_pieces(world).confirmed == []
        world.caught_up(world.source, world.target)
        world.run(world.target, "SET LOCAL session_replication_role = replica", *DAMAGE.split(";"))
        with world.writing(write_pieces):
            confirmed = compared_in_pieces(world).confirmed
    ids = [str(uuid.UUID(hashlib.md5(str(n).encode()).hexdigest())) for n in (333, 666, 999)]
    assert sorted(confirmed) == sorted(
        [f"row ints id={key} differs" for key in (1, 7, 207, 208, 1000)]
        + [f"row pairs (a, b)=({a}, k{b}) is missing on the target" for a, b in PAIRS]
        + [f"row names name={name} is only on the target" for name in ("", "zz", "n5")]
        + [f"row ids id={key} differs" for key in ids]
        + ["row hot id=2 is missing on the target"]
        + [line for line in confirmed if line.startswith("table bag (no key): ")]
    )
    assert len(confirmed) == 5 + 3 + 3 + 3 + 1 + 1


PAIRS = [(0, 0), (7, 7), (9, 99)]


def write_pieces(connection: psycopg.Connection, count: int) -> None:
    """Beside the damaged rows, and all of it too fast for a table to stand still."""
    connection.execute("UPDATE ints SET v = v || '.' WHERE id = %s", (count % 900 + 20,))
    connection.execute("INSERT INTO names VALUES (%s, 'new')", (f"x{time.monotonic_ns()}",))
    connection.execute("UPDATE bag SET n = n + 1 WHERE n >= 5000")
    connection.execute("UPDATE bag SET n = CASE n WHEN 3 THEN 4 ELSE 3 END WHERE n IN (3, 4)")
    for _ in range(5):  # other values each millisecond
        connection.execute("UPDATE hot SET n = n + 1")


def compared_in_pieces(world: TwoShapes) -> Progress:
    progress = Progress(chunk_rows=7)
    source, target = nodes_of(world).values()
    with source.session(limit_s=30) as old, target.session(limit_s=30) as new:
        comparison = RowComparison(BothSides(old, new, FORWARD), world.mapping, progress)
        end = time.monotonic() + PIECES_LIMIT_S
        while progress.phase != "done":
            assert time.monotonic() < end, progress
            with suppress(Behind):
                comparison.work(end)
    return progress


def test_a_change_without_a_way_back_is_refused_unless_accepted() -> None:
    with two_shapes(15, SCHEMA, ROWS, LOSSY) as world:
        world.fork()
        world.apply()
        with pytest.raises(Refused, match="could not give back the old values of 1000 rows of us"):
            verdict_of(step_for(world), job_for(world))
        accepted = job_for(world, accept_lossy_rollback=True)
        assert verdict_of(step_for(world), accepted).rows_different == 0
