"""Measure what is usual, under the application's own traffic: nothing is run but small probes.

Source: PgBouncer manual, SHOW STATS_TOTALS; PostgreSQL manual, pg_stat_statements.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.adapters.doors.door_probe import ROLE, PooledDoor
from shared.adapters.health.statement_statistics import statements_of
from shared.adapters.pooler.pooler_facts import PoolerWatch
from shared.adapters.postgres import PsycopgSession, connect
from shared.domain.baseline import Baseline, profile, spread
from shared.domain.pooler import PoolerFacts
from shared.ports import Node
from shared.settings import Settings

INTERVAL_S = 0.5
PROBES = 5
"""Round trips over a connection that stands, in each interval."""
LIMIT_S = 5.0
_COUNTERS = """SELECT xact_commit, xact_rollback FROM pg_stat_database
WHERE datname = current_database()"""


@dataclass
class _Seen:
    door_ms: list[float] = field(default_factory=list)
    round_trip_ms: list[float] = field(default_factory=list)
    transaction_ms: list[float] = field(default_factory=list)
    transactions: list[float] = field(default_factory=list)
    """In each interval: how heavy its mean is."""


def measure(settings: Settings, active: Node, *, seconds: float) -> Baseline:
    """Takes `seconds`. Raises Transient when a server or the pooler does not answer."""
    watch, seen = PoolerWatch(settings), _Seen()
    try:
        statements = statements_of(active, settings.database)
        commits, rollbacks = _counters(active)
        first = before = watch()
        began = time.monotonic()
        with connect(
            host=settings.doors.host,
            port=settings.doors.pooled_port,
            database=settings.database,
            user=ROLE,
            password=settings.secret(ROLE),
            limit_s=LIMIT_S,
            application_name="bluegreen/baseline",
        ) as standing:
            while time.monotonic() - began < seconds:
                before = _look(settings, watch, standing, before, seen)
        took_s = time.monotonic() - began
        last = watch()
    finally:
        watch.close()
    more_commits, more_rollbacks = _counters(active)
    passed = max(1, last.transactions - first.transactions)
    ended = max(1, more_commits - commits + more_rollbacks - rollbacks)
    door, round_trip = spread(seen.door_ms), spread(seen.round_trip_ms)
    assert door is not None, "at least one interval was measured"
    assert round_trip is not None
    return Baseline(
        database=settings.database,
        at=datetime.now(UTC),
        seconds=round(took_s, 1),
        side=active.colour.value,
        transactions_per_s=round((last.transactions - first.transactions) / took_s, 2),
        rolled_back_share=round((more_rollbacks - rollbacks) / ended, 4),
        door_ms=door,
        round_trip_ms=round_trip,
        transaction_ms=spread(seen.transaction_ms, seen.transactions),
        waiting_ms=round((last.waited_us - first.waited_us) / passed / 1000, 4),
        clients=last.clients,
        server_connections=len(last.sockets),
        queries=profile(statements, statements_of(active, settings.database), seconds=took_s),
    )


def _look(
    settings: Settings,
    watch: PoolerWatch,
    standing: PsycopgSession,
    before: PoolerFacts,
    seen: _Seen,
) -> PoolerFacts:
    """One interval. Our own probes are a handful of its transactions."""
    began = time.monotonic()
    seen.door_ms.append(PooledDoor(settings).round_trip_ms(limit_s=LIMIT_S))
    for _ in range(PROBES):
        asked = time.perf_counter()
        standing.value("SELECT 1")
        seen.round_trip_ms.append((time.perf_counter() - asked) * 1000)
    time.sleep(max(0.0, began + INTERVAL_S - time.monotonic()))
    after = watch()
    passed = after.transactions - before.transactions
    if passed > 0:
        took_us = after.transactions_us - before.transactions_us
        seen.transaction_ms.append(took_us / passed / 1000)
        seen.transactions.append(float(passed))
    return after


def _counters(node: Node) -> tuple[int, int]:
    with node.session(limit_s=LIMIT_S) as session:
        row = session.row(_COUNTERS)
    assert row is not None, "a connected database has its row of statistics"
    return int(row[0]), int(row[1])
