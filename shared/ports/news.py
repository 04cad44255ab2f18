"""Who is told what happens: watchers by the event stream, people by alerts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from shared.domain.health import Severity
from shared.domain.messages import Event


class Alerts(Protocol):
    """Told once when something begins to be wrong, and once when it is over. Never raises: an
    alert that cannot be told must not stop a step."""

    def raise_alert(
        self, name: str, severity: Severity, sentence: str, detail: Mapping[str, Any] | None = None
    ) -> None: ...

    def clear_alert(self, name: str, sentence: str) -> None: ...


class Bus(Protocol):
    """The event stream. Losing it loses wake-ups, never truth."""

    def publish(self, event: Event) -> None:
        """Never raises: a watcher that misses an event must not stop a step."""
        ...

    def read(self, after: str, *, block_ms: int) -> list[tuple[str, Event]]:
        """Events behind the id `after` (`$`: from now on), oldest first."""
        ...
