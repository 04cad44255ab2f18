"""A dead active server on a whole stack: what takes over, what is kept, how the dead returns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.failover_pair import FailoverPair, failover_pair
from tests.support.wait import until
from tests.support.writers import Writers
from workers.health_monitor.failover.watch import ALERT

WRITERS = 8


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[FailoverPair]:
    with failover_pair(tmp_path) as pair:
        yield pair


def test_a_dead_server_is_taken_over_from_in_ten_seconds_and_nothing_acknowledged_is_lost(
    pair: FailoverPair,
) -> None:
    old = pair.active
    watch = pair.watch("auto")
    watch.look()
    with Writers(pair.stack.doors["app"], WRITERS) as writers:
        writers.until_acknowledged(30 * WRITERS)
        pair.dies(old)
        took_s = pair.looks_until_it_serves(watch, old.other)
        writers.until_acknowledged(5 * WRITERS)
    lost = writers.acknowledged - pair.written()
    print(f"writable after {took_s:.1f} s; {len(writers.acknowledged)} acknowledged, "
          f"{len(lost)} lost")  # fmt: skip
    assert lost == set()
    assert took_s < 10
    assert pair.stack.doors["direct"]
    pair.stack.until_answers("direct")
    assert pair.watched.stream.types(ALERT) == ["AlertRaised"]
    assert pair.watched.hook.until(f"[critical] {ALERT}")["message"].count("took over")


def test_the_dead_server_returns_as_a_standby_and_is_never_writable(pair: FailoverPair) -> None:
    old = pair.active
    watch = pair.watch("auto")
    watch.look()
    pair.dies(old)
    pair.looks_until_it_serves(watch, old.other)
    # Somebody starts it by hand, before anything was done for it.
    pair.supervised.want(old.value, "running")
    pair.stack.until_answers(old.value, limit_s=60)
    assert pair.sql(old, "SELECT pg_is_in_recovery()") == [(True,)]
    application = pair.stack.settings.nodes[old]
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba|reject"):
        psycopg.connect(
            host=application.host, port=application.port, dbname="app", user="app",
            password=pair.stack.settings.secret("app"), connect_timeout=3,
        )  # fmt: skip
    until(pair.is_at_rest, limit_s=150, what=f"{old} is the standing standby")
    assert pair.sql(old, "SELECT pg_is_in_recovery()") == [(True,)]
    watch.look()
    assert pair.watched.stream.types(ALERT) == ["AlertRaised", "AlertCleared"]


def test_the_standby_that_was_a_dead_server_takes_over_in_its_turn(pair: FailoverPair) -> None:
    first = pair.active
    for dead in (first, first.other):
        watch = pair.watch("auto")
        watch.look()
        pair.dies(dead)
        pair.looks_until_it_serves(watch, dead.other)
        until(pair.is_at_rest, limit_s=150, what=f"{dead} is the standing standby")


def test_what_was_acknowledged_and_never_sent_is_read_from_the_dead_servers_disk(
    pair: FailoverPair,
) -> None:
    old = pair.active
    watch = pair.watch("auto")
    watch.look()
    pair.cut_off()
    with pair.stack.connect("app") as app:
        for n in range(50):
            app.execute("INSERT INTO journal VALUES (99, %s)", (n,))
        pair.dies(old)
    assert not pair.sql(old.other, "SELECT 1 FROM journal WHERE writer = 99")
    pair.looks_until_it_serves(watch, old.other)
    assert {(99, n) for n in range(50)} <= pair.written()


def test_commits_that_waited_for_the_standby_are_there_though_the_disk_is_gone(
    pair: FailoverPair,
) -> None:
    """Synchronous replication, seen at the last look, is the proof where no WAL can be read."""
    old = pair.active
    pair.sql(old, "ALTER SYSTEM SET synchronous_standby_names = '*'")
    pair.sql(old, "SELECT pg_reload_conf()")
    waits = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
    until(lambda: pair.sql(old, waits), limit_s=20, what="commits wait for the standby")
    watch = pair.watch("auto")
    watch.look()
    with pair.stack.connect("app") as app:
        app.execute("INSERT INTO journal SELECT 96, n FROM generate_series(1, 50) AS n")
    pair.dies(old)
    pair.loses_its_wal(old)
    pair.looks_until_it_serves(watch, old.other)
    assert {(96, n) for n in range(1, 51)} <= pair.written()


def test_a_takeover_that_was_left_half_done_is_finished(pair: FailoverPair) -> None:
    """The monitor died between the promotion and the doors."""
    old = pair.active
    watch = pair.watch("auto")
    watch.look()
    pair.dies(old)
    pair.sql(old.other, "SELECT bluegreen.promote(30)")
    assert pair.active is old
    pair.looks_until_it_serves(watch, old.other)
    with pair.stack.connect("app") as app:
        app.execute("INSERT INTO journal VALUES (97, 1)")
