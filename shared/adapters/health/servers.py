"""Checks of the two servers: there, writable on one side only, not behind, not full."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial

from shared.adapters.health import server_state
from shared.adapters.health.kept_session import KeptSession
from shared.adapters.health.server_state import ServerState, pair_results, worst_replica
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError
from shared.domain.health import CheckResult
from shared.domain.trend import Look, growth, kept
from shared.monitor_settings import HealthLimits
from shared.ports import HostLoad, Measuring, Node

LIMIT_S = 2.0
NOTICEABLE_LAG_BYTES = 1 << 20
"""Less than that is the ordinary breathing of replication."""


@dataclass(frozen=True, slots=True)
class _Host:
    """What the driver says; None: it cannot."""

    free_disk_bytes: int | None
    load: HostLoad | None
    at_s: float


@dataclass
class ServerChecks:
    """Keeps one session a server, and what the last looks measured."""

    nodes: Mapping[Colour, Node]
    limits: HealthLimits
    sessions: dict[Colour, KeptSession] = field(init=False)
    states: dict[Colour, ServerState] = field(init=False, default_factory=dict)
    """As of the last look; a server that did not answer is not in it."""
    _loads: dict[Colour, _Host] = field(init=False, default_factory=dict)
    _lags: tuple[Look, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        self.sessions = {
            colour: KeptSession(
                partial(node.session, limit_s=LIMIT_S, connect_limit_s=LIMIT_S), LIMIT_S
            )
            for colour, node in self.nodes.items()
        }

    def look(self, pool: Executor) -> list[CheckResult]:
        """Both servers are asked at the same time."""
        asked = {
            colour: pool.submit(session.ask, server_state.read)
            for colour, session in self.sessions.items()
        }
        results: list[CheckResult] = []
        states: dict[Colour, ServerState] = {}
        for colour, future in asked.items():
            name = f"{colour}.available"
            try:
                states[colour] = future.result()
            except MigrationError as error:
                results.append(CheckResult(name, False, error.message, "critical"))
            else:
                results.append(CheckResult(name, True, f"{colour} answers"))
                results += self._of_one(colour, states[colour])
        self.states = states
        return [*results, *pair_results(states, self.limits), self._trend()]

    def _of_one(self, colour: Colour, state: ServerState) -> Iterator[CheckResult]:
        yield from server_state.counted(colour, state, self.limits)
        host = _host_of(self.nodes[colour])
        if host.free_disk_bytes is not None:
            yield CheckResult(
                f"{colour}.disk",
                host.free_disk_bytes >= self.limits.disk_free_bytes,
                f"{colour} has {host.free_disk_bytes >> 20} MB of free disk",
                "critical",
                host.free_disk_bytes,
            )
        if host.load is not None:
            yield from self._load(colour, host, host.load)
        if not state.in_recovery:
            yield server_state.retained(colour, state, host.free_disk_bytes, self.limits)

    def _load(self, colour: Colour, host: _Host, load: HostLoad) -> Iterator[CheckResult]:
        taken = 1 - load.memory_available_bytes / load.memory_total_bytes
        own = load.memory_bytes / load.memory_total_bytes
        yield CheckResult(
            f"{colour}.memory",
            taken < self.limits.memory_share and own < self.limits.server_memory_share,
            f"{colour} takes {load.memory_bytes >> 20} MB; of its host {taken:.0%} is taken",
            value=load.memory_bytes,
            more={"host_share": taken},
        )
        before, self._loads[colour] = self._loads.get(colour), host
        if before is None or before.load is None or host.at_s <= before.at_s:
            return
        used_s = max(0.0, load.cpu_seconds - before.load.cpu_seconds)
        share = used_s / (host.at_s - before.at_s) / load.cores
        yield CheckResult(
            f"{colour}.cpu",
            share < self.limits.full_share,
            f"{colour} takes {share:.0%} of {load.cores} cores",
            value=share,
        )

    def _trend(self) -> CheckResult:
        worst = worst_replica(self.states)
        now = Look(time.monotonic(), float(worst.lag_bytes if worst else 0))
        self._lags = kept(self._lags, now, span_s=self.limits.lag_grows_s)
        grown = growth(self._lags, span_s=self.limits.lag_grows_s)
        if grown is None or now.value < NOTICEABLE_LAG_BYTES:
            return CheckResult("replication.trend", True, "the lag does not grow", value=0)
        left_s = grown.seconds_until(self.limits.lag_bytes)
        return CheckResult(
            "replication.trend",
            False,
            f"the lag grew from {grown.first / 1e6:.1f} to {grown.last / 1e6:.1f} MB in "
            f"{grown.span_s:.0f} s; at this pace it is too much in {left_s:.0f} s",
            value=grown.per_second,
        )


def _host_of(node: Node) -> _Host:
    free = load = None
    try:
        free = node.driver.free_disk_bytes()
    except (MigrationError, OSError):
        free = None
    if isinstance(node.driver, Measuring):
        try:
            load = node.driver.load()
        except MigrationError:
            load = None
    return _Host(free, load, time.monotonic())
