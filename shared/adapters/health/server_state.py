"""What one look at a server reads, and what a look at the pair says of it. Pure but for `read`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.adapters.named_queries import named_queries
from shared.domain.environment import Colour
from shared.domain.health import CheckResult
from shared.monitor_settings import HealthLimits
from shared.ports import Session

_SQL = named_queries(__file__, "servers.sql")


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
    slots_taken: int
    max_slots: int
    replicas: tuple[Replica, ...] = ()
    slots: tuple[Slot, ...] = ()

    @property
    def takes_writes(self) -> bool:
        return not self.in_recovery and not self.is_fenced


def read(session: Session) -> ServerState:
    row = session.row(_SQL["state"])
    assert row is not None, "a SELECT without FROM has a row"
    in_recovery = bool(row[0])
    replicas = [] if in_recovery else session.rows(_SQL["replicas"])
    slots = [] if in_recovery else session.rows(_SQL["retained"])
    return ServerState(
        in_recovery=in_recovery,
        is_fenced=bool(row[1]),
        connections=row[2],
        max_connections=row[3],
        senders=row[4],
        max_senders=row[5],
        slots_taken=row[6],
        max_slots=row[7],
        replicas=tuple(Replica(name, state, int(lag or 0), s) for name, state, lag, s in replicas),
        slots=tuple(Slot(*slot) for slot in slots),
    )


def counted(colour: Colour, state: ServerState, limits: HealthLimits) -> Iterator[CheckResult]:
    """What a server has only so many of."""
    yield CheckResult(
        f"{colour}.connections",
        state.connections < limits.full_share * state.max_connections,
        f"{state.connections} of {state.max_connections} connections of {colour} are taken",
        value=state.connections,
    )
    for what, name, taken, most in (
        ("WAL senders", "wal_senders", state.senders, state.max_senders),
        ("replication slots", "replication_slots", state.slots_taken, state.max_slots),
    ):
        yield CheckResult(
            f"{colour}.{name}",
            taken < max(1, most),
            f"{taken} of {most} {what} of {colour} are taken",
            value=taken,
        )


def retained(
    colour: Colour, state: ServerState, free_disk_bytes: int | None, limits: HealthLimits
) -> CheckResult:
    most = max(state.slots, key=lambda slot: slot.retained_bytes, default=None)
    if most is None:
        return CheckResult(
            f"{colour}.retained_wal", True, f"no slot keeps WAL on {colour}", value=0
        )
    too_much = (
        free_disk_bytes is not None
        and most.retained_bytes > limits.retained_share * free_disk_bytes
    )
    broken = [slot.name for slot in state.slots if slot.wal_status in ("unreserved", "lost")]
    return CheckResult(
        f"{colour}.retained_wal",
        not too_much and not broken,
        f"slot {most.name} keeps {most.retained_bytes >> 20} MB of WAL on {colour}"
        + (f"; slots that lost WAL: {', '.join(broken)}" if broken else ""),
        "critical",
        most.retained_bytes,
    )


def pair_results(
    states: Mapping[Colour, ServerState], limits: HealthLimits
) -> Iterator[CheckResult]:
    """What is true only of the two together."""
    writable = [colour for colour, state in states.items() if state.takes_writes]
    yield CheckResult(
        "sides.one_writable",
        len(writable) <= 1,
        f"the application can write to {' and '.join(writable) or 'no side'}",
        "critical",
        len(writable),
        {colour.value: 1.0 for colour in writable},
    )
    if len(states) == len(Colour) and sum(state.in_recovery for state in states.values()) == 1:
        active = next(state for state in states.values() if not state.in_recovery)
        streaming = any(replica.state == "streaming" for replica in active.replicas)
        yield CheckResult(
            "standby.streaming",
            streaming,
            "the standby streams" if streaming else "no standby streams from the active side",
        )
    if (behind := worst_replica(states)) is None:
        yield CheckResult("replication.lag", True, "nobody reads the WAL", value=0)
        return
    yield CheckResult(
        "replication.lag",
        behind.lag_bytes < limits.lag_bytes and behind.lag_s < limits.lag_s,
        f"{behind.name} is {behind.lag_bytes} bytes and {behind.lag_s:.1f} s behind",
        value=behind.lag_bytes,
        more={
            "seconds": behind.lag_s,
            **{
                colour.other.value: float(max(r.lag_bytes for r in state.replicas))
                for colour, state in states.items()
                if state.replicas
            },
        },
    )


def worst_replica(states: Mapping[Colour, ServerState]) -> Replica | None:
    behind = [replica for state in states.values() for replica in state.replicas]
    return max(behind, key=lambda replica: replica.lag_bytes, default=None)
