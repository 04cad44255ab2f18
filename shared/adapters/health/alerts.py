"""Alerts: once on the stream, once in the control database, once through each Apprise URL.

The control database decides what is new and what was told, so two monitors announce an alert once,
and one that was silenced when it was raised is told when the silence ends. A sink that does not
answer delays nobody: sinks are told from a thread of their own, each within a limit.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import apprise
import structlog

from shared.adapters.control.health_store import HealthStore
from shared.domain.errors import MigrationError
from shared.domain.health import Severity
from shared.domain.messages import AlertCleared, AlertRaised
from shared.ports import Bus

_log = structlog.get_logger("alerts")
_TYPES: dict[Severity, apprise.NotifyType] = {
    "info": apprise.NotifyType.INFO,
    "warning": apprise.NotifyType.WARNING,
    "critical": apprise.NotifyType.FAILURE,
}
KEPT_ANNOUNCEMENTS = 1000
PAUSES_S = (1.0, 5.0, 15.0, 60.0)


@dataclass(frozen=True, slots=True)
class Announcement:
    title: str
    body: str
    kind: apprise.NotifyType


class Sinks:
    """Tells the Apprise URLs, in order, from one thread; what cannot be told is logged."""

    def __init__(self, urls: tuple[str, ...], *, pauses_s: Sequence[float] = PAUSES_S) -> None:
        """`pauses_s`: before each further try of an announcement that was not taken."""
        self._pauses_s = tuple(pauses_s)
        self._apprise = apprise.Apprise()
        for number, url in enumerate(urls):
            if not self._apprise.add(url):
                _log.error("alerts.url_refused", number=number)  # the URL may hold a secret
        self._waiting: queue.Queue[Announcement] = queue.Queue(KEPT_ANNOUNCEMENTS)
        if urls:
            threading.Thread(target=self._tell, name="alert-sinks", daemon=True).start()

    def announce(self, announcement: Announcement) -> None:
        """Never waits: with a thousand untold ones the newest is dropped and logged."""
        if not len(self._apprise):
            return
        try:
            self._waiting.put_nowait(announcement)
        except queue.Full:
            _log.error("alerts.dropped", title=announcement.title)

    def wait(self) -> None:
        """Until everything was told or given up."""
        self._waiting.join()

    def _tell(self) -> None:
        while True:
            announcement = self._waiting.get()
            try:
                self._insist(announcement)
            finally:
                self._waiting.task_done()

    def _insist(self, announcement: Announcement) -> None:
        """Try again while it is not taken: a chat that is away for a minute hears it afterwards."""
        for pause_s in (*self._pauses_s, None):
            if self._apprise.notify(
                title=announcement.title, body=announcement.body, notify_type=announcement.kind
            ):
                return
            if pause_s is not None:
                time.sleep(pause_s)
        _log.error("alerts.not_told", title=announcement.title)


def refused_urls(urls: Sequence[str]) -> list[int]:
    """Which of them Apprise does not know, counted from 1: the URLs themselves hold secrets."""
    known = [apprise.Apprise.instantiate(url) is not None for url in urls]
    return [number for number, is_known in enumerate(known, 1) if not is_known]


class AlertBook:
    """The Alerts port."""

    def __init__(
        self,
        store: HealthStore,
        bus: Bus,
        sinks: Sinks,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._bus = bus
        self._sinks = sinks
        self._now = now
        self._lost: set[str] = set()
        """Raised while the control database was away: told once, and never cleared by it."""
        self._to_clear: dict[str, str] = {}
        """Over, which the control database was not there to hear; with what is said of the end."""

    def raise_alert(
        self, name: str, severity: Severity, sentence: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        body = dict(detail or {})
        self._to_clear.pop(name, None)
        try:
            is_new = self._store.raise_alert(name, severity, sentence, body)
        except MigrationError as error:
            _log.warning("alerts.not_stored", alert=name, reason=error.message)
            if name not in self._lost:
                self._lost.add(name)
                self._publish_raised(name, severity, sentence, body)
                self._announce(name, severity, sentence)
            return
        if is_new and name not in self._lost:
            self._publish_raised(name, severity, sentence, body)
        self.tell()

    def tell(self) -> None:
        """Announce what is raised, was not announced yet, and is not silenced (any more); clear
        what could not be cleared in its time."""
        try:
            untold = self._store.take_untold()
        except MigrationError as error:
            _log.warning("alerts.not_read", reason=error.message)
            return
        for name, sentence in list(self._to_clear.items()):
            self.clear_alert(name, sentence)
        for name, severity, sentence in untold:
            if name not in self._lost:  # that one was announced while it could not be stored
                self._announce(name, severity, sentence)

    def clear_alert(self, name: str, sentence: str) -> None:
        was_lost = name in self._lost
        try:
            was_told = self._store.clear_alert(name)
        except MigrationError as error:
            _log.warning("alerts.not_stored", alert=name, reason=error.message)
            self._to_clear[name] = sentence
            return
        self._to_clear.pop(name, None)
        self._lost.discard(name)
        if was_told is not None or was_lost:
            self._bus.publish(AlertCleared(at=self._now(), alert=name, sentence=sentence))
        if was_told or was_lost:
            self._sinks.announce(
                Announcement(f"[cleared] {name}", sentence, apprise.NotifyType.SUCCESS)
            )

    def _publish_raised(
        self, name: str, severity: Severity, sentence: str, detail: dict[str, Any]
    ) -> None:
        self._bus.publish(
            AlertRaised(
                at=self._now(), alert=name, severity=severity, sentence=sentence, detail=detail
            )
        )

    def _announce(self, name: str, severity: Severity, sentence: str) -> None:
        self._sinks.announce(Announcement(f"[{severity}] {name}", sentence, _TYPES[severity]))
