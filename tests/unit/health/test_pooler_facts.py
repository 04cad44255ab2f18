"""Several poolers, looked at as one: what is true of the weakest counts."""

from __future__ import annotations

from dataclasses import replace

from shared.adapters.pooler.pooler_facts import together
from shared.domain.pooler import PoolerFacts

ONE = PoolerFacts(
    version=(1, 24), pool_mode="transaction", query_wait_timeout_s=60.0,
    sockets=frozenset({("10.0.0.1", 1)}), clients=3, max_clients=100, waiting=1,
)  # fmt: skip


def test_one_alone_is_itself() -> None:
    assert together([ONE]) == ONE


def test_the_oldest_the_least_patient_and_every_socket_count() -> None:
    other = replace(
        ONE, version=(1, 20), pool_mode="session", query_wait_timeout_s=2.0,
        sockets=frozenset({("10.0.0.2", 1)}),
    )  # fmt: skip
    assert together([ONE, other]) == PoolerFacts(
        version=(1, 20), pool_mode="session", query_wait_timeout_s=2.0,
        sockets=ONE.sockets | other.sockets, clients=6, max_clients=200, waiting=2,
    )  # fmt: skip


def test_one_that_waits_for_ever_is_the_most_patient() -> None:
    assert together([ONE, replace(ONE, query_wait_timeout_s=0.0)]).query_wait_timeout_s == 60.0
