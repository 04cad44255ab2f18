"""Rows that Flower shows: a sentence of progress per step, and one row per job.

Flower shows what Celery's events carry, nothing else: the custom event `task-progress` becomes
the state PROGRESS, and its `result` the Result column. Losing one loses nothing but a picture.
"""

from __future__ import annotations

from typing import Any

import redis
import structlog
from celery import Celery
from kombu.exceptions import OperationalError

_JOB_ROW = "bluegreen.job"
_HOST = "job@bluegreen"
_log = structlog.get_logger("flower")


class FlowerRows:
    def __init__(self, app: Celery) -> None:
        self._app = app

    def step_progress(self, task_id: str, hostname: str, sentence: str) -> None:
        """The row of a step says how far it is."""
        self._send(hostname, "task-progress", task_id, result=sentence)

    def step_rejected(self, task_id: str, hostname: str) -> None:
        """A message had no effect; a row that it may have opened is closed."""
        self._send(hostname, "task-rejected", task_id)

    def job_begins(self, job: str, kind: str, file_name: str) -> None:
        shown = f"({job!r}, {kind!r}, {file_name!r})"
        self._send(_HOST, "task-received", job, name=_JOB_ROW, args=shown, kwargs="{}")
        self._send(_HOST, "task-started", job)

    def job_moves(self, job: str, sentence: str) -> None:
        self._send(_HOST, "task-progress", job, name=_JOB_ROW, result=sentence)

    def job_ends(self, job: str, sentence: str, *, completed: bool) -> None:
        if completed:
            self._send(_HOST, "task-succeeded", job, name=_JOB_ROW, result=sentence, runtime=0)
        else:
            self._send(_HOST, "task-failed", job, name=_JOB_ROW, exception=sentence, traceback="")

    def _send(self, hostname: str, kind: str, uuid: str, **fields: Any) -> None:
        try:
            with self._app.events.default_dispatcher(hostname=hostname) as dispatcher:
                dispatcher.send(kind, uuid=uuid, retry=False, **fields)
        except (OperationalError, redis.RedisError, OSError) as error:
            _log.warning("row.lost", row=uuid, reason=str(error))
