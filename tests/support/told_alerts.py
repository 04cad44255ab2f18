"""The Alerts port, in memory: what is raised now, and everything that was told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.domain.health import Severity


@dataclass
class ToldAlerts:
    raised: dict[str, str] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)
    """(name, sentence) of what was raised and, with `cleared ` before the name, cleared."""

    def raise_alert(
        self, name: str, severity: Severity, sentence: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        if name not in self.raised:
            self.raised[name] = sentence
            self.told.append((name, sentence))

    def clear_alert(self, name: str, sentence: str) -> None:
        if self.raised.pop(name, None) is not None:
            self.told.append((f"cleared {name}", sentence))
