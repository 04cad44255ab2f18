"""A change of sides under the eyes of a probe, and what is kept and told of it.

Guarantee   what `Switch.run` guarantees; a record of it; and the new side took the probe's writes
Fails with  Broken     the new side took none: the caller goes back
            and all that `Switch.run` fails with, which leaves no record
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from shared.domain.environment import Colour
from shared.domain.errors import Broken, Transient
from shared.domain.messages import CutoverDone
from shared.ports import Bus, Companion, Switches, SwitchRecord
from workers.proxy_agent.measurement import AROUND_S, Measured, Sample, measure
from workers.proxy_agent.switch import Order, Switch, Switched

PROBE_READY_LIMIT_S = 8.0
PROBE_TELL_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class MeasuredSwitch:
    switch: Switch
    probe: Callable[[], AbstractContextManager[Companion]]
    server_names: Mapping[Colour, str]
    """cluster_name of each server."""
    switches: Switches
    bus: Bus

    def run(self, order: Order) -> SwitchRecord:
        with self.probe() as probe:
            switched = self.switch.run(order, lambda: _await_baseline(probe))
            time.sleep(AROUND_S)
            samples = _told(probe)
        measured = None
        if samples is not None:
            measured = measure(
                samples,
                paused_at=switched.paused_at,
                resumed_at=switched.resumed_at,
                new_server=self.server_names[switched.attempt.new],
            )
        record = record_of(switched, measured)
        self.keep(record)
        if measured is not None and measured.new_side_writes == 0:
            raise Broken(
                f"expected writes through the pooled door on {switched.attempt.new} within "
                f"{AROUND_S:.0f} s of RESUME, found none; going back"
            )
        return record

    def keep(self, record: SwitchRecord) -> None:
        """For the report, and for everyone who watches."""
        self.switches.save(record)
        self.bus.publish(_event(record))


def record_of(switched: Switched, measured: Measured | None) -> SwitchRecord:
    record = SwitchRecord(
        job=switched.attempt.job,
        attempt=switched.attempt.number,
        direction=switched.attempt.direction,
        at=switched.at,
        window_ms=switched.window_ms,
        phases_ms=dict(switched.phases_ms),
        connections_cut=switched.connections_cut,
    )
    if measured is None:
        return record
    return replace(
        record,
        failed_transactions=measured.failed,
        baseline_p50_ms=measured.p50_ms,
        baseline_p99_ms=measured.p99_ms,
        longest_ms=measured.longest_ms,
        samples=measured.samples,
    )


def _await_baseline(probe: Companion) -> None:
    """Let it write for a while before the pause; one that cannot write measures nothing."""
    try:
        is_ready = probe.hear(limit_s=PROBE_READY_LIMIT_S).get("ready")
    except Transient:
        return
    if is_ready:
        time.sleep(AROUND_S)


def _told(probe: Companion) -> Sequence[Sample] | None:
    """Everything it saw, or None where it died or never wrote."""
    try:
        probe.say({"stop": True})
        samples = [
            (began, ms, ok, server)
            for began, ms, ok, server in probe.hear(limit_s=PROBE_TELL_LIMIT_S)["samples"]
        ]
    except (Transient, KeyError):
        return None
    return samples if any(ok for _, _, ok, _ in samples) else None


def _event(record: SwitchRecord) -> CutoverDone:
    return CutoverDone(
        at=datetime.now(UTC),
        job=record.job,
        direction=record.direction,
        window_ms=record.window_ms,
        longest_ms=record.longest_ms,
        failed_transactions=record.failed_transactions,
    )
