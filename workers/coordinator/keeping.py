"""Every hour what is older than the retention goes from the control database.

No time of it is kept: what is old is asked anew, and a round that dies is gone on with by the next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from shared.adapters.control.retention_store import RetentionStore
from shared.domain.errors import MigrationError
from shared.settings import Settings

PERIOD_S = 3600.0
AGAIN_S = 60.0
"""After a round that failed."""
_log = structlog.get_logger("coordinator")


@dataclass(frozen=True)
class Keeping:
    store: RetentionStore
    read_settings: Callable[[], Settings]
    """Read anew each time, so that another limit counts without a restart."""

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. What fails is logged and tried again."""
        while not stop.is_set():
            stop.wait(PERIOD_S if self.go() else AGAIN_S)

    def go(self) -> bool:
        """One round; whether it came to its end."""
        try:
            days = self.read_settings().retention.job_days
            jobs, others = self.store.remove(days, by="coordinator")
        except MigrationError as error:
            _log.warning("retention.round_failed", reason=error.message)
            return False
        if jobs or others:
            _log.info("retention.removed", details_of_jobs=jobs, other_rows=others, days=days)
        return True
