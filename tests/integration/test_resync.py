"""A copied table that lost its slot on the source is copied anew, and the others are left alone.

The slot is dropped by hand while the table's worker waits for its turn: what is left of one that
died between the drop and its commit. Locks on green keep each of them where it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from shared.domain.errors import Refused
from shared.domain.migration import Job
from shared.ports import Pending
from tests.support.dying import Died, DyingNodes
from tests.support.ladder import descend, ladder, steps_of
from tests.support.remote_pair import RemotePair, remote_pair
from tests.support.shapes import FILE, SCHEMA
from tests.support.sides import BLUE, GREEN
from tests.support.steps import done
from tests.support.wait import until

ROWS = """
INSERT INTO users (mail, age, bio, legacy, price)
SELECT 'm' || g, g % 90, repeat('b', 2000), 'x', g FROM generate_series(1, 2000) AS g;
INSERT INTO logs (day, what) SELECT date '2025-12-22' + g % 20, to_jsonb(repeat('w', 2000))
FROM generate_series(1, 2000) AS g;
INSERT INTO orders (user_id, note) SELECT g, 'n' FROM generate_series(1, 500) AS g;
"""
LATE = {
    "users": "INSERT INTO users (mail, age, bio, legacy, price) VALUES ('late', 70, 'b', 'y', 250)",
    "logs": "INSERT INTO logs (day, what) VALUES ('2025-12-31', '1'), ('2026-01-01', '2')",
}
"""Written where nothing holds it for the table any more."""
STATE = "SELECT srsubstate::text FROM pg_subscription_rel WHERE srrelid = '{}'::regclass"
BEFORE_SUBSCRIPTION = "pg_create_logical_replication_slot"
TOUCH = "UPDATE orders SET note = 'touched' WHERE id = 1"
WAITS_FOR_ROW = """
SELECT count(*) FROM pg_stat_subscription AS s JOIN pg_stat_activity USING (pid)
WHERE s.relid IS NULL AND wait_event_type = 'Lock'
"""
DROP_SLOT = (
    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name LIKE"
)
CONTENTS = "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {} AS t"
FILES = """
SELECT array_agg(relfilenode ORDER BY oid) FROM pg_class WHERE relname LIKE '{}%' AND relkind = 'r'
"""
NEWEST_ONLY = pytest.mark.parametrize("made", [(18, False)], ids=["18-plain"], indirect=True)
MADE_MEANWHILE = "expected the tables of blue as they were frozen, found public.sneaked made meanwh"
ACTS = ("DROP TABLE", "REFRESH PUBLICATION", "TRUNCATE", "ADD TABLE")


@pytest.fixture(scope="module", params=[(15, True), (18, False)], ids=["15", "18-plain"])
def made(request: pytest.FixtureRequest) -> Iterator[tuple[RemotePair, Job]]:
    version, superuser = request.param
    with remote_pair(version, superuser=superuser) as servers:
        servers.run(BLUE, SCHEMA + ROWS, user="app")
        yield servers, servers.rehearsed(FILE)


@pytest.fixture
def servers(made: tuple[RemotePair, Job]) -> Iterator[RemotePair]:
    servers, job = made
    done(steps_of(servers)["freeze_schema"], job)
    yield servers
    descend(servers, job)


@contextmanager
def holding(servers: RemotePair, lock: str) -> Iterator[None]:
    with servers.connect(GREEN) as connection, connection.transaction():
        connection.execute(lock)
        yield


def is_alone(servers: RemotePair, job: Job, table: str) -> bool:
    """Whether orders follows, and that table's worker is on its way: nobody else begins one."""
    step = steps_of(servers)["create_green"]
    assert isinstance(step.do(job), Pending)
    states = [servers.rows(GREEN, STATE.format(each)) for each in ("orders", table)]
    return states == [[("r",)], [("d",)]]


def lose_slot(servers: RemotePair, job: Job, table: str) -> None:
    """Begin the copy, and leave that table with its rows and without its slot."""
    dying = DyingNodes(servers.nodes, BEFORE_SUBSCRIPTION)
    with pytest.raises(Died):
        done(ladder(dying, servers.databases)["create_green"], job)
    with ExitStack() as for_row:
        with holding(servers, f"LOCK TABLE {table} IN EXCLUSIVE MODE"):
            until(lambda: is_alone(servers, job, table), limit_s=60, what="orders follows")
            for_row.enter_context(holding(servers, "SELECT FROM orders WHERE id = 1 FOR UPDATE"))
            servers.run(BLUE, TOUCH, user="app")
            until(
                lambda: servers.value(GREEN, WAITS_FOR_ROW), limit_s=30, what="apply stands still"
            )
        until(
            lambda: servers.rows(GREEN, STATE.format(table)) == [("f",)],
            limit_s=60, what=f"{table} has its rows",
        )  # fmt: skip
        oid = servers.value(GREEN, f"SELECT '{table}'::regclass::oid")
        assert len(servers.rows(BLUE, f"{DROP_SLOT} 'pg_%_sync_{oid}_%'")) == 1
        servers.run(BLUE, LATE[table], user="app")


def is_on_both_sides(servers: RemotePair, table: str) -> bool:
    question = CONTENTS.format(table)
    return servers.rows(GREEN, question) == servers.rows(BLUE, question)


@pytest.mark.parametrize("table", ["users", "logs"])
def test_it_is_copied_anew_and_no_other_is(
    servers: RemotePair, made: tuple[RemotePair, Job], table: str
) -> None:
    job = made[1]
    lose_slot(servers, job, table)
    of_this = servers.value(GREEN, FILES.format(table))
    of_other = servers.value(GREEN, FILES.format("orders"))
    done(steps_of(servers)["create_green"], job)
    for each in ("users", "logs", "orders"):
        assert is_on_both_sides(servers, each)
    assert servers.value(GREEN, FILES.format(table)) != of_this
    assert servers.value(GREEN, FILES.format("orders")) == of_other


@NEWEST_ONLY
@pytest.mark.parametrize("act", ACTS)
def test_who_dies_behind_an_act_is_followed_by_one_that_goes_on(
    servers: RemotePair, made: tuple[RemotePair, Job], act: str
) -> None:
    job = made[1]
    lose_slot(servers, job, "users")
    dying = DyingNodes(servers.nodes, act)
    with pytest.raises(Died):
        done(ladder(dying, servers.databases)["create_green"], job)
    done(steps_of(servers)["create_green"], job)
    assert is_on_both_sides(servers, "users")


@NEWEST_ONLY
def test_nothing_is_emptied_while_somebody_else_does_it(
    servers: RemotePair, made: tuple[RemotePair, Job]
) -> None:
    job = made[1]
    lose_slot(servers, job, "users")
    before = servers.value(GREEN, FILES.format("users"))
    with holding(servers, "SELECT pg_advisory_xact_lock(hashtext('bluegreen resync'))"):
        answer = steps_of(servers)["create_green"].do(job)
        assert isinstance(answer, Pending)
        assert servers.value(GREEN, FILES.format("users")) == before
    done(steps_of(servers)["create_green"], job)
    assert is_on_both_sides(servers, "users")


def test_a_table_that_somebody_makes_meanwhile_ends_it_and_says_so(
    servers: RemotePair, made: tuple[RemotePair, Job]
) -> None:
    """By a superuser past the freeze, or where there can be none."""
    job = made[1]
    dying = DyingNodes(servers.nodes, BEFORE_SUBSCRIPTION)
    with pytest.raises(Died):
        done(ladder(dying, servers.databases)["create_green"], job)
    servers.run(BLUE, "SET session_replication_role = replica; CREATE TABLE sneaked (id int)")
    try:
        with pytest.raises(Refused, match=MADE_MEANWHILE) as refused:
            done(ladder(servers.nodes, servers.databases)["create_green"], job)
        assert "run the file again" in refused.value.remedy
    finally:
        servers.run(BLUE, "SET session_replication_role = replica; DROP TABLE sneaked")
