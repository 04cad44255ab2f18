"""The application's traffic from a change on, against what it was before.

What was seen is JSON that stands in the control database, so that another process can go on with
it: `confirm` does, and for a safe file, which nobody waits for, the monitor afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.domain.facts import Cutover
from shared.domain.kinds import Kind
from shared.domain.migration import Job
from shared.ports import Door, Node, Observations, Session
from workers.health_monitor import traffic
from workers.health_monitor.confirm_verdict import Evidence, Traffic, complaints, passed
from workers.health_monitor.sides import serving_side
from workers.health_monitor.speed import KEY, Speed, queries_between, transaction_ms

OBSERVE_S = 5.0
DOOR_LIMIT_S = 2.0


@dataclass(frozen=True)
class TrafficWatch:
    nodes: Mapping[Colour, Node]
    door: Door
    observations: Observations
    now: Callable[[], datetime]
    speed: Speed | None = None

    def begin(self, job: Job) -> dict[str, Any]:
        """Where the counters stand now, and what was usual before."""
        preflight = self.observations.seen(job.id, "preflight") or {}
        serving, speed, usual = self.nodes[serving_side(job)], None, None
        with ThreadPoolExecutor(2, "begin") as beside:
            if self.speed is not None:
                speed = beside.submit(self.speed.look, serving, job.database)
            if serving_side(job) is not job.source:
                usual = beside.submit(self._usual_before, job, preflight)
            with serving.session(limit_s=traffic.LOOK_LIMIT_S) as session:
                counters = traffic.counters(session)
                errors = {} if usual is not None else _errors_since(session, preflight)
        seen: dict[str, Any] = {
            "at": self.now().isoformat(), "door_ms": [], "before": None, "errors_before": errors,
            "door_before_ms": preflight.get("door_ms", []),
            "counters": [counters.commits, counters.rollbacks],
        }  # fmt: skip
        if speed is not None:
            seen["speed"] = speed.result()
            seen["queries_before"] = self._queries_before(job, seen["speed"])
            seen["usual_ms"] = transaction_ms(preflight.get("speed") or {}, seen["speed"])
        if usual is not None:
            with suppress(Transient):  # the old side is gone: fixed limits judge the new one
                seen |= usual.result()
        self.note(job, seen)
        return seen

    def seen(self, job: Job) -> dict[str, Any] | None:
        found = self.observations.seen(job.id, _key(job))
        return None if found is None else dict(found)

    def note(self, job: Job, seen: Mapping[str, Any]) -> None:
        self.observations.note(job.id, _key(job), seen)

    def elapsed_s(self, seen: Mapping[str, Any]) -> float:
        return (self.now() - datetime.fromisoformat(seen["at"])).total_seconds()

    def round_trip_ms(self, job: Job) -> float | None:
        """Through the pooled door; in a maintenance to the server: clients are still held. None: it
        did not answer."""
        try:
            if job.kind is not Kind.MAINTENANCE:
                return self.door.round_trip_ms(limit_s=DOOR_LIMIT_S)
            with self.nodes[serving_side(job)].session(limit_s=DOOR_LIMIT_S) as session:
                began = self.now()
                session.value("SELECT 1")
                return (self.now() - began).total_seconds() * 1000
        except Transient:
            return None

    def judge(self, job: Job, seen: Mapping[str, Any]) -> tuple[str | None, Traffic | None]:
        """What is wrong, and the traffic since the beginning; None: the server was not there."""
        since = datetime.fromisoformat(_since(job) or seen["at"])
        try:
            with self.nodes[serving_side(job)].session(limit_s=traffic.LOOK_LIMIT_S) as session:
                counters = traffic.counters(session)
                errors = traffic.errors_since(session, since)
        except Transient:
            return None, None
        commits, rollbacks = seen["counters"]
        after = Traffic(max(0, counters.commits - commits), max(0, counters.rollbacks - rollbacks))
        after_ms, usual_ms = self._transactions_ms(seen)
        why = complaints(
            Evidence(
                before=Traffic(*seen["before"]) if seen["before"] is not None else None,
                after=after,
                errors_before=seen["errors_before"],
                errors_after=errors.counts,
                words=errors.words,
                door_before_ms=seen["door_before_ms"],
                door_after_ms=seen["door_ms"],
                transaction_ms=after_ms,
                usual_transaction_ms=usual_ms,
            ),
            accept_broken_statements=job.options.accept_broken_statements,
        )
        return ("; ".join(why) if why else None), after

    def note_impact(self, job: Job, seen: Mapping[str, Any]) -> None:
        """For the report: what ran before the change and after it."""
        if self.speed is None or "speed" not in seen:
            return
        last = self.speed.look(self.nodes[serving_side(job)], job.database)
        self.observations.note(
            job.id,
            KEY,
            {
                "changed_at": _since(job) or seen["at"],
                "before": seen["queries_before"],
                "after": queries_between(seen["speed"], last),
            },
        )

    def _queries_before(self, job: Job, here: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Since preflight, on the side that served until now."""
        assert self.speed is not None
        first = (self.observations.seen(job.id, "preflight") or {}).get("speed")
        if first is None:
            return []
        if serving_side(job) is job.source:
            return queries_between(first, here)
        return queries_between(first, self.speed.look(self.nodes[job.source], job.database))

    def _transactions_ms(self, seen: Mapping[str, Any]) -> tuple[float | None, float | None]:
        """Mean of a transaction since the beginning, and what is usual; nothing before it covers
        the whole observation, whose first moments have cold caches and whoever was held."""
        if timedelta(seconds=self.elapsed_s(seen)) < timedelta(seconds=OBSERVE_S):
            return None, None
        if self.speed is None or not seen.get("speed", {}).get("pooler"):
            return None, None
        try:
            facts = self.speed.read_pooler()
        except Transient:
            return None, None
        now = {"pooler": [facts.transactions, facts.transactions_us]}
        known = [ms for ms in (seen.get("usual_ms"), self.speed.usual_ms()) if ms is not None]
        return transaction_ms(seen["speed"], now), max(known, default=None)

    def _usual_before(self, job: Job, preflight: Mapping[str, Any]) -> dict[str, Any]:
        """Transactions and errors since preflight, on the side that served until the cutover."""
        if "counters" not in preflight:
            return {}
        commits, rollbacks, reset_at = preflight["counters"]
        with self.nodes[job.source].session(limit_s=traffic.LOOK_LIMIT_S) as session:
            counters = traffic.counters(session)
            errors = _errors_since(session, preflight)
        now = Traffic(counters.commits, counters.rollbacks)
        same = counters.reset_at == reset_at
        before = passed(Traffic(commits, rollbacks), now) if same else None
        found = None if before is None else [before.commits, before.rollbacks]
        return {"before": found, "errors_before": errors}


def _errors_since(session: Session, preflight: Mapping[str, Any]) -> dict[str, int]:
    if "counters" not in preflight:
        return {}
    return traffic.errors_since(session, datetime.fromisoformat(preflight["at"])).counts


def _since(job: Job) -> str | None:
    cutover = Cutover.maybe(job)
    return cutover.at if cutover is not None else None


def _key(job: Job) -> str:
    """Each cutover of a job is watched for itself."""
    return f"confirm/{_since(job) or job.attempt}"
