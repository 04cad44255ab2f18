"""The backup agent's process: its steps, and beside them the daily round and verification."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from shared.adapters.backup.backup_directory import BackupDirectory
from shared.adapters.control.backup_store import BackupStore
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.health_store import HealthStore
from shared.adapters.control.store import PostgresControlStore
from shared.adapters.health.alerts import AlertBook, Sinks
from shared.adapters.queue.celery_shell import make_worker, run_beside
from shared.adapters.queue.redis_bus import RedisBus
from shared.ports import Step
from shared.settings import Settings, load
from workers.backup.daily_round import DailyRound
from workers.backup.daily_verification import DailyVerification
from workers.backup.steps.dump_rollback_point import DumpRollbackPoint
from workers.backup.steps.take_rollback_point import TakeRollbackPoint
from workers.backup.steps.verify_rollback_point import VerifyRollbackPoint


def build_steps(settings: Settings) -> Sequence[Step]:
    points = BackupDirectory(settings)
    return (TakeRollbackPoint(points), DumpRollbackPoint(points), VerifyRollbackPoint(points))


settings = load(os.environ)
database = ControlDatabase(settings, application_name="bluegreen/backup-round", agent="backup")
daily_round = DailyRound(
    settings, PostgresControlStore(database), BackupStore(database), partial(load, os.environ)
)
alerts = AlertBook(HealthStore(database), RedisBus(settings), Sinks(settings.alerts.urls))
daily_verification = DailyVerification(settings, alerts)
app = make_worker("backup", build_steps)
run_beside(app, "daily-round", daily_round.run)
run_beside(app, "daily-verification", daily_verification.run)
