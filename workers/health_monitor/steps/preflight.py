"""The servers, the pooler and the sessions are such that the migration can be done, and undone.

Guarantee   every rule of workers/health_monitor/rules was asked and none refused; what they warned
            of stands with the job, and what is usual before the change was measured
Repeats     safe: it only looks
Undo        nothing to undo
Fails with  Transient  the active side does not answer
            Refused    with each finding and its remedy
Source      docs/preflight.md: one section for each rule
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from shared.domain import facts
from shared.domain.counted import counted
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError, Refused, Transient
from shared.domain.kinds import Kind
from shared.domain.migration import Job
from shared.domain.pooler import PoolerFacts
from shared.ports import Done, Door, Node, Observations, Pending
from workers.health_monitor import traffic
from workers.health_monitor.copy_facts import read_copy_facts
from workers.health_monitor.rules import findings
from workers.health_monitor.rules.copying import estimate_s
from workers.health_monitor.rules.sessions import bypassing
from workers.health_monitor.server_facts import read_clients, read_server
from workers.health_monitor.snapshot import CopyFacts, ServerFacts, Snapshot
from workers.health_monitor.speed import Speed

PROBES = 5
DOOR_LIMIT_S = 2.0
KEY = "preflight"
BETWEEN_LOOKS_S = 0.2
PAUSE_MARGIN_S = 0.25
"""What a cutover may take beyond `--max-stall` when every process of ours dies in it."""


@dataclass(frozen=True)
class Preflight:
    nodes: Mapping[Colour, Node]
    read_pooler: Callable[[], PoolerFacts]
    door: Door
    observations: Observations
    application_role: str
    exempt: tuple[str, ...]
    """Roles that are no clients: administrators, and those named so in the settings."""
    now: Callable[[], datetime]
    speed: Speed | None = None
    door_addresses: Callable[[], frozenset[str]] = frozenset
    """Whence the direct door reaches the servers, where that is over TCP."""
    own_addresses: Callable[[], dict[Colour, str]] = dict
    """Whence this host sends to each side, in its own eyes."""
    remote: tuple[Colour, ...] = ()
    """Sides of which only an address is known: no standby can be made there."""
    unread: tuple[Colour, ...] = ()
    """Sides that the other server cannot reach."""
    exempt_applications: tuple[str, ...] = ()
    """application_name of those that may come past the doors."""
    free_backup_bytes: Callable[[], int | None] = lambda: None
    """Of the disk that rollback points are written to; None: not seen from here."""

    name: ClassVar[str] = KEY

    def is_done(self, job: Job) -> bool:
        return self.observations.seen(job.id, KEY) is not None

    def do(self, job: Job) -> Done | Pending:
        with ThreadPoolExecutor(1, "usual") as beside:
            usual = beside.submit(self._usual, job)
            snapshot = self._look(job)
        answers = bool(usual.result()["door_ms"])
        found = findings(replace(snapshot, door_answers=answers), job.kind)
        refused = [finding for _, finding in found if finding.refuses]
        if refused:
            raise Refused(
                "; ".join(finding.message for finding in refused),
                remedy="; ".join(finding.remedy for finding in refused),
                code="preflight",
            )
        warnings = [f"{finding.message} ({finding.remedy})" for _, finding in found]
        body = usual.result() | {"facts": _facts(snapshot, warnings)}
        self.observations.note(job.id, KEY, body)
        return Done(_sentence(snapshot, warnings), body["facts"])

    def undo(self, job: Job) -> Done | Pending:
        return Done("nothing to undo")

    def recall(self, job: Job) -> Mapping[str, Any]:
        seen = self.observations.seen(job.id, KEY) or {}
        kept: Mapping[str, Any] = seen.get("facts", {})
        return kept

    def _look(self, job: Job) -> Snapshot:
        """Raises Transient when the active side is not there; the standby may be missing."""
        validated = facts.Validation.maybe(job)
        touched = list(validated.locks) if validated else []
        with ThreadPoolExecutor(2, "look") as beside:
            standby = beside.submit(read_server, self.nodes[job.target], exempt=self.exempt)
            pool = beside.submit(self.read_pooler)
            # Inside: the block's end waits for both.
            source = read_server(self.nodes[job.source], exempt=self.exempt, touched=touched)
        servers = {job.source: source}
        pooler = None
        with suppress(Transient):
            servers[job.target] = standby.result()
        with suppress(Transient):
            pooler = pool.result()
        snapshot = Snapshot(
            active=job.source,
            servers=servers,
            pooler=pooler,
            application_role=self.application_role,
            pause_limit_s=job.options.max_stall_ms / 1000 + PAUSE_MARGIN_S,
            holds_clients=job.kind is Kind.MAINTENANCE and job.options.on_maintenance == "hold",
            exempt_applications=frozenset(self.exempt_applications),
            door_addresses=self.door_addresses(),
            own_addresses=self.own_addresses(),
            remote=self.remote,
            free_backup_bytes=self.free_backup_bytes(),
            copy=self._copy_facts(job, servers),
            unread=self.unread,
            makes_standby=job.kind is Kind.RISKY and job.target not in self.remote,
        )
        return replace(snapshot, stays=self._still_past(snapshot)) if pooler else snapshot

    def _copy_facts(
        self, job: Job, servers: Mapping[Colour, ServerFacts]
    ) -> dict[Colour, CopyFacts]:
        """Only where green is to be copied, and of the sides that answer and take writes."""
        if not self.remote or job.kind is not Kind.RISKY:
            return {}
        return {
            colour: read_copy_facts(self.nodes[colour], job)
            for colour, server in servers.items()
            if not server.in_recovery
        }

    def _still_past(self, first: Snapshot) -> frozenset[tuple[str, str, str]]:
        """Who is past the doors at a second look as well."""
        if not bypassing(first):
            return frozenset()
        time.sleep(BETWEEN_LOOKS_S)
        clients = read_clients(self.nodes[first.active], exempt=self.exempt)
        again = replace(first, pooler=self.read_pooler(), servers={
            first.active: replace(first.source, clients=clients)
        })  # fmt: skip
        return frozenset((c.user, c.address, c.application) for c in bypassing(again))

    def _usual(self, job: Job) -> dict[str, Any]:
        """What `confirm` compares with: counters, and round trips through the door."""
        source, speed = self.nodes[job.source], None
        door_ms: list[float] = []
        with ThreadPoolExecutor(1, "speed") as beside:
            if self.speed is not None:
                speed = beside.submit(self.speed.look, source, job.database)
            with source.session(limit_s=traffic.LOOK_LIMIT_S) as session:
                counters = traffic.counters(session)
            with suppress(MigrationError):  # a rule says so
                door_ms = [self.door.round_trip_ms(limit_s=DOOR_LIMIT_S) for _ in range(PROBES)]
        return {
            "speed": None if speed is None else speed.result(),
            "at": self.now().isoformat(),
            "counters": [counters.commits, counters.rollbacks, counters.reset_at],
            "door_ms": door_ms,
        }


def _facts(snapshot: Snapshot, warnings: list[str]) -> dict[str, Any]:
    found = facts.Preflight(
        server_version_num={
            colour.value: server.version_num for colour, server in snapshot.servers.items()
        },
        system_identifier=snapshot.source.system_identifier,
        warnings=warnings,
        strategy=snapshot.strategy,
        database_bytes=snapshot.source.database_bytes,
    )
    if snapshot.copy:
        more = {
            "copy_bytes": snapshot.source.database_bytes,
            "copy_estimate_s": round(estimate_s(snapshot), 1),
        }
        found = found.model_copy(update=more)
    return found.model_dump(mode="json")


def _sentence(snapshot: Snapshot, warnings: list[str]) -> str:
    text = "nothing stands in the way"
    if snapshot.copy:
        size = snapshot.source.database_bytes >> 20
        text += f"; {size} MB are copied through SQL, about {estimate_s(snapshot):.0f} s"
    if warnings:
        text += f"; {counted(len(warnings), 'warning')}: {'; '.join(warnings)}"
    return text
