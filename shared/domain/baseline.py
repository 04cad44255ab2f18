"""What is usual under the application's own traffic: latency, throughput, pool, queries. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict

SHOWN_QUERIES = 10


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Spread(_Frozen):
    """Percentiles, in milliseconds."""

    p50: float
    p95: float
    p99: float


class QueryProfile(_Frozen):
    """One statement of the application, without its values."""

    query: str
    calls_per_s: float
    mean_ms: float
    share: float
    """Of the time of all statements, 0 to 1."""


class Baseline(_Frozen):
    database: str
    at: datetime
    seconds: float
    """How long was measured."""
    side: str
    transactions_per_s: float
    rolled_back_share: float
    door_ms: Spread
    """A login and a query through the pooled door."""
    round_trip_ms: Spread
    """A query over a connection that stands."""
    transaction_ms: Spread | None
    """Of the application's transactions, as the pooler timed them; None: there were none."""
    waiting_ms: float
    """For a server connection, of each transaction."""
    clients: int
    server_connections: int
    queries: tuple[QueryProfile, ...]
    """Those that take most of the time; empty where no server records statements."""


@dataclass(frozen=True, slots=True)
class Interval:
    """What passed through the pooler between two looks."""

    at: datetime
    side: str
    seconds: float
    transactions: int
    mean_ms: float
    """Of a transaction."""
    waiting_ms: float
    """Of a transaction, for a server connection."""
    door_ms: float | None
    """A login and a query through the pooled door."""


Statements = Mapping[str, tuple[int, float]]
"""By text: how often it ran, and how many milliseconds that took in all."""


def spread(values: Sequence[float], weights: Sequence[float] | None = None) -> Spread | None:
    """None of nothing. A weight says how often a value counts."""
    heavy = [1.0] * len(values) if weights is None else list(weights)
    ordered = sorted(zip(values, heavy, strict=True))
    total = sum(heavy)
    if not ordered or total <= 0:
        return None

    def at(share: float) -> float:
        seen = 0.0
        for value, weight in ordered:
            seen += weight
            if seen >= share * total:
                return round(value, 3)
        return round(ordered[-1][0], 3)

    return Spread(p50=at(0.5), p95=at(0.95), p99=at(0.99))


def transaction_spread(intervals: Iterable[Interval]) -> Spread | None:
    """Over the means of the intervals, each as heavy as its transactions."""
    busy = [each for each in intervals if each.transactions]
    return spread([each.mean_ms for each in busy], [float(each.transactions) for each in busy])


def profile(
    before: Statements, after: Statements, *, seconds: float, most: int = SHOWN_QUERIES
) -> tuple[QueryProfile, ...]:
    """What ran between two looks at the server's statements, the dearest first.

    A statement whose counts fell was reset between the looks and counts from zero.
    """
    ran: list[tuple[str, int, float]] = []
    for text, (calls, total_ms) in after.items():
        old_calls, old_ms = before.get(text, (0, 0.0))
        if calls < old_calls:
            old_calls, old_ms = 0, 0.0
        if calls > old_calls:
            ran.append((text, calls - old_calls, total_ms - old_ms))
    all_ms = sum(ms for _, _, ms in ran) or 1.0
    ran.sort(key=lambda each: -each[2])
    return tuple(
        QueryProfile(
            query=text,
            calls_per_s=round(calls / max(seconds, 1e-9), 3),
            mean_ms=round(ms / calls, 4),
            share=round(ms / all_ms, 4),
        )
        for text, calls, ms in ran[:most]
    )
