"""Once a day: is every rollback point that counts still what it was?

Every file is read and its SHA-256 compared; the newest point of each database is restored and
counted again where this host can read it. One that is damaged does not count any more, and is told.
A lock keeps two agents over one directory from doing it twice; the age of the same file tells when
it was done last.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from shared.adapters.backup import backups
from shared.domain.errors import Broken, MigrationError
from shared.domain.rollback_point import Manifest
from shared.ports import Alerts
from shared.settings import Settings

PERIOD_S = 60.0
DAY_S = 24 * 3600.0
_log = structlog.get_logger("backup")


@dataclass(frozen=True)
class DailyVerification:
    settings: Settings
    alerts: Alerts

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. What fails is logged and tried again a minute later."""
        while not stop.is_set():
            try:
                self.go()
            except (MigrationError, OSError) as error:
                _log.warning("backup.verification_failed", reason=str(error))
            stop.wait(PERIOD_S)

    def go(self) -> bool:
        """Whether it was due, nobody else does it, and it was done now."""
        with _held(self._stamp) as stamp:
            if stamp is None or time.time() - stamp.stat().st_mtime < DAY_S:
                return False
            looked_at = backups.verify_again(self.settings)
            for point, wrong in looked_at:
                self._tell(point, wrong)
            _log.info("backup.verified_again", points=len(looked_at))
            stamp.touch()
            return True

    def _tell(self, point: Manifest, wrong: MigrationError | None) -> None:
        name = f"backup.damaged/{point.name}"
        if isinstance(wrong, Broken):
            remedy = "; the newest verified one counts: `bluegreen backups list`"
            self.alerts.raise_alert(name, "critical", wrong.message + remedy)
        elif wrong is not None:
            _log.warning("backup.not_looked_at", point=point.name, reason=wrong.message)
        else:
            self.alerts.clear_alert(name, f"{point.name} is whole")

    @property
    def _stamp(self) -> Path:
        self.settings.backup_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.settings.backup_dir / ".verified"


@contextmanager
def _held(path: Path) -> Iterator[Path | None]:
    """The file, made long ago where it is not there, locked; None while another process has it."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        if path.stat().st_size == 0:
            file.write(b"The age of this file is that of the last daily verification.\n")
            file.flush()
            os.utime(path, (0, 0))
        yield path
