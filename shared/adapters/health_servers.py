"""Checks of the two servers: there, writable on one side only, not behind, not full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

from shared.adapters.named_queries import named_queries
from shared.adapters.node_factory import make_nodes
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError
from shared.domain.health import CheckResult
from shared.domain.objects import AGENT_ROLES
from shared.ports import Node
from shared.settings import Settings

_SQL = named_queries(__file__, "health_servers.sql")
ROLE = AGENT_ROLES["health-monitor"]
LIMIT_S = 2.0
FULL = 0.9
LAG_LIMIT_BYTES = 256 << 20
LAG_LIMIT_S = 30.0
RETAINED_SHARE = 0.5
"""Of the free disk; a slot that keeps more WAL than that is about to stop the server."""
DISK_FLOOR_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Replica:
    name: str
    state: str
    lag_bytes: int
    lag_s: float


@dataclass(frozen=True, slots=True)
class Slot:
    name: str
    is_active: bool
    retained_bytes: int
    wal_status: str


@dataclass(frozen=True, slots=True)
class ServerState:
    in_recovery: bool
    is_fenced: bool
    """No role of the application can log in."""
    connections: int
    max_connections: int
    senders: int
    max_senders: int
    replicas: tuple[Replica, ...]
    slots: tuple[Slot, ...]
    free_disk_bytes: int | None

    @property
    def takes_writes(self) -> bool:
        return not self.in_recovery and not self.is_fenced


def check_servers(settings: Settings, pool: Executor) -> list[CheckResult]:
    """Both servers are asked at the same time."""
    nodes = make_nodes(settings, ROLE)
    asked = {colour: pool.submit(_read, node) for colour, node in nodes.items()}
    results: list[CheckResult] = []
    states: dict[Colour, ServerState] = {}
    for colour, future in asked.items():
        try:
            states[colour] = future.result()
        except MigrationError as error:
            results.append(CheckResult(f"{colour}.available", False, error.message, "critical"))
        else:
            results.append(CheckResult(f"{colour}.available", True, f"{colour} answers"))
            results += _fullness(colour, states[colour])
    return [*results, *pair_results(states)]


def _read(node: Node) -> ServerState:
    with node.session(limit_s=LIMIT_S, connect_limit_s=LIMIT_S) as session:
        row = session.row(_SQL["state"])
        assert row is not None, "a SELECT without FROM has a row"
        in_recovery = bool(row[0])
        replicas = [] if in_recovery else session.rows(_SQL["replicas"])
        slots = [] if in_recovery else session.rows(_SQL["retained"])
    try:
        free = node.driver.free_disk_bytes()
    except MigrationError:
        free = None
    return ServerState(
        in_recovery=in_recovery,
        is_fenced=bool(row[1]),
        connections=row[2],
        max_connections=row[3],
        senders=row[4],
        max_senders=row[5],
        replicas=tuple(Replica(name, state, int(lag or 0), s) for name, state, lag, s in replicas),
        slots=tuple(Slot(*slot) for slot in slots),
        free_disk_bytes=free,
    )


def _fullness(colour: Colour, state: ServerState) -> Iterator[CheckResult]:
    yield CheckResult(
        f"{colour}.connections",
        state.connections < FULL * state.max_connections,
        f"{state.connections} of {state.max_connections} connections of {colour} are taken",
        value=state.connections,
    )
    yield CheckResult(
        f"{colour}.wal_senders",
        state.senders < max(1, state.max_senders),
        f"{state.senders} of {state.max_senders} WAL senders of {colour} are taken",
        value=state.senders,
    )
    if state.free_disk_bytes is not None:
        yield CheckResult(
            f"{colour}.disk",
            state.free_disk_bytes >= DISK_FLOOR_BYTES,
            f"{colour} has {state.free_disk_bytes >> 20} MB of free disk",
            "critical",
            state.free_disk_bytes,
        )
    if not state.in_recovery:
        yield _retained(colour, state)


def _retained(colour: Colour, state: ServerState) -> CheckResult:
    most = max(state.slots, key=lambda slot: slot.retained_bytes, default=None)
    if most is None:
        return CheckResult(f"{colour}.retained_wal", True, f"no slot keeps WAL on {colour}")
    free = state.free_disk_bytes
    too_much = free is not None and most.retained_bytes > RETAINED_SHARE * free
    broken = [slot.name for slot in state.slots if slot.wal_status in ("unreserved", "lost")]
    return CheckResult(
        f"{colour}.retained_wal",
        not too_much and not broken,
        f"slot {most.name} keeps {most.retained_bytes >> 20} MB of WAL on {colour}"
        + (f"; slots that lost WAL: {', '.join(broken)}" if broken else ""),
        "critical",
        most.retained_bytes,
    )


def pair_results(states: Mapping[Colour, ServerState]) -> Iterator[CheckResult]:
    """What is true only of the two together."""
    writable = [colour for colour, state in states.items() if state.takes_writes]
    yield CheckResult(
        "sides.one_writable",
        len(writable) <= 1,
        f"the application can write to {' and '.join(writable) or 'no side'}",
        "critical",
        len(writable),
    )
    if len(states) < len(Colour):
        return
    if sum(state.in_recovery for state in states.values()) == 1:
        active = next(state for state in states.values() if not state.in_recovery)
        streaming = [r for r in active.replicas if r.state == "streaming"]
        yield CheckResult(
            "standby.streaming",
            bool(streaming),
            "the standby streams" if streaming else "no standby streams from the active side",
        )
    yield from _lag(states)


def _lag(states: Mapping[Colour, ServerState]) -> Iterator[CheckResult]:
    behind = [replica for state in states.values() for replica in state.replicas]
    worst = max(behind, key=lambda replica: replica.lag_bytes, default=None)
    if worst is None:
        yield CheckResult("replication.lag", True, "nobody reads the WAL", value=0)
        return
    yield CheckResult(
        "replication.lag",
        worst.lag_bytes < LAG_LIMIT_BYTES and worst.lag_s < LAG_LIMIT_S,
        f"{worst.name} is {worst.lag_bytes} bytes and {worst.lag_s:.1f} s behind",
        value=worst.lag_bytes,
    )
