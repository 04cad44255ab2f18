"""Once a day: what is older than the retention goes. Every minute: the index follows the files.

The time of the last pruning is the age of a file in the backup directory, so that a restart of the
agent neither skips a day nor prunes twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from shared.adapters.backup import backups
from shared.adapters.control.backup_store import BackupStore
from shared.domain.errors import MigrationError
from shared.ports import ControlStore
from shared.settings import Settings

PERIOD_S = 60.0
DAY_S = 24 * 3600.0
_log = structlog.get_logger("backup")


@dataclass(frozen=True)
class DailyRound:
    settings: Settings
    jobs: ControlStore
    index: BackupStore
    read_settings: Callable[[], Settings]
    """Read anew each day, so that another limit counts without a restart."""

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. What fails is logged and tried again a minute later."""
        while not stop.is_set():
            try:
                self.go()
            except (MigrationError, OSError) as error:
                _log.warning("backup.round_failed", reason=str(error))
            stop.wait(PERIOD_S)

    def go(self) -> None:
        """One round."""
        if _age_s(self._stamp) >= DAY_S:
            live = {job.id for job in self.jobs.jobs(live_only=True)}
            days = self.read_settings().backup.retention_days
            gone = backups.prune(self.settings, days=days, live_jobs=live)
            _log.info("backup.pruned", points=[point.name for point in gone])
            self._stamp.touch()
        backups.sweep_scratch(self.settings)
        listed = backups.listed(self.settings)
        self.index.write([entry.point for entry in listed if not entry.missing])

    @property
    def _stamp(self) -> Path:
        self.settings.backup_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.settings.backup_dir / ".pruned"


def _age_s(path: Path) -> float:
    """Seconds since the file was touched; a file that is not there is as old as can be."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
