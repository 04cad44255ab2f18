"""Looks at the active server every second, and lets the standby take over when it is dead.

A thread beside the monitor: its looks are few and quick, so that a dead server is known in seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import structlog

from shared.adapters.health.kept_session import KeptSession
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError, Refused, Transient
from shared.domain.failover import Evidence, Verdict, judge
from shared.monitor_settings import FailoverSettings
from shared.ports import Alerts, Fencing, Node, Row, Session
from workers.health_monitor.failover.deed import ASK_LIMIT_S, SQL, Failover

PERIOD_S = 1.0
MANAGER_PERIOD_S = 30.0
SILENCE = ("08", "57P", "57014")
"""Errors of a server that is away, goes, comes, or does not answer in time."""
STARTING = "57P03"
"""cannot_connect_now: a server that starts, or recovers from a crash."""
SILENT_STREAM_S = 35.0
"""An idle server sends a sign of life every 30 s (half of wal_sender_timeout)."""
AGAIN_S = 30.0
"""After a refusal the dead server has this long to come back undisturbed."""
ALERT = "failover"
_log = structlog.get_logger("failover")


@dataclass
class FailoverWatch:
    nodes: Mapping[Colour, Node]
    failover: Failover
    alerts: Alerts
    settings: FailoverSettings
    leads_to: Callable[[], Colour | None]
    """Where the direct door leads, which is a look at a link; None while it holds clients."""
    clock: Callable[[], float] = time.monotonic
    active: Colour | None = None
    ha_manager: str = ""
    was_synchronous: bool = False
    _sessions: dict[Colour, KeptSession] = field(init=False)
    _answered_at: float | None = field(init=False, default=None)
    _starting_since: float | None = field(init=False, default=None)
    _manager_at: float = field(init=False, default=float("-inf"))
    _not_before: float = field(init=False, default=float("-inf"))
    _raised: bool | None = field(init=False, default=None)
    """None: whether an earlier monitor raised it is not known."""

    def __post_init__(self) -> None:
        self._sessions = {
            colour: KeptSession(
                partial(node.session, limit_s=ASK_LIMIT_S, connect_limit_s=ASK_LIMIT_S),
                ASK_LIMIT_S,
            )
            for colour, node in self.nodes.items()
        }

    def close(self) -> None:
        for session in self._sessions.values():
            session.close()

    def run(self, stop: threading.Event) -> None:
        if self.settings.policy == "off":
            return
        while not stop.wait(PERIOD_S):
            try:
                self.look()
            except MigrationError as error:
                _log.warning("failover.look_failed", reason=error.message)

    def look(self) -> Verdict:
        """One look, and what follows from it. Raises Transient where it must be tried again."""
        led = self.leads_to()
        if led is not None and led is not self.active:
            self.active, self._answered_at, self._starting_since = led, None, None
        if self.active is None:
            return Verdict("wait", "the doors hold clients")
        try:
            row = self._sessions[self.active].ask(self._read_active)
        except Transient as error:
            if not error.code.startswith(SILENCE):
                self._answered_at, self._starting_since = self.clock(), None
                raise  # it answers, if only to say that it is full
            self._note_silence(error)
        else:
            self._note_answer(row)
        verdict = judge(self._evidence(), self.settings.policy, after_s=self.settings.after_s)
        if verdict.act in ("ask", "refuse"):
            self._tell(verdict.says)
        elif verdict.act == "promote":
            self._take_over(verdict)
        return verdict

    def _read_active(self, session: Session) -> Row:
        now = self.clock()
        if now - self._manager_at > MANAGER_PERIOD_S:
            self.ha_manager = str(session.value(SQL["ha_manager"]) or "")
            self._manager_at = now
        row = session.row(SQL["of_active"])
        assert row is not None
        return row

    def _note_answer(self, row: Row) -> None:
        in_recovery, synchronous, unhealed = row
        self._answered_at, self._starting_since = self.clock(), None
        if in_recovery:
            return  # the sides are being exchanged
        self.was_synchronous = bool(synchronous)
        if unhealed is None and self._raised is not False:
            self.alerts.clear_alert(ALERT, f"{self.active} answers, and has its standby")
            self._raised = False

    def _note_silence(self, error: MigrationError) -> None:
        if self._answered_at is None:
            self._answered_at = self.clock()  # silent from our own beginning at the latest
        if error.code != STARTING:
            self._starting_since = None
        elif self._starting_since is None:
            self._starting_since = self.clock()

    def _evidence(self) -> Evidence:
        assert self.active is not None
        assert self._answered_at is not None
        now = self.clock()
        silent_s = now - self._answered_at
        standby: Row | None = None
        manager = self.ha_manager
        if silent_s >= self.settings.after_s:
            try:
                session = self._sessions[self.active.other]
                standby = session.ask(lambda it: it.row(SQL["of_standby"]))
                manager = manager or str(session.ask(lambda it: it.value(SQL["ha_manager"])) or "")
            except MigrationError:
                standby = None
        message_age_s = standby[3] if standby is not None else None
        return Evidence(
            active=self.active,
            silent_s=silent_s,
            starting_s=0.0 if self._starting_since is None else now - self._starting_since,
            standby_answers=standby is not None,
            standby_follows=standby is not None and bool(standby[0]),
            standby_took_over=standby is not None and bool(standby[2]),
            replay_paused=standby is not None and bool(standby[1]),
            stream_lost=message_age_s is None or message_age_s > SILENT_STREAM_S,
            ha_manager=manager,
            can_fence=isinstance(self.nodes[self.active].driver, Fencing),
        )

    def _take_over(self, verdict: Verdict) -> None:
        assert self.active is not None
        if self.clock() < self._not_before:
            return
        dead = self.active
        _log.warning("failover.begins", dead=dead, why=verdict.says)
        try:
            told = self.failover.run(dead, was_synchronous=self.was_synchronous)
        except Refused as error:
            self._not_before = self.clock() + AGAIN_S
            self._tell(f"{verdict.says}; {error.message}; {error.remedy}")
            return
        _log.warning("failover.done", new=told.new, seconds=told.seconds)
        self._tell(f"{verdict.says}; {told.sentence}")

    def _tell(self, sentence: str) -> None:
        self.alerts.raise_alert(ALERT, "critical", sentence)
        self._raised = True
