"""A worker process: one function, registered once per step as the Celery task `<agent>.<step>`.

It asks the control database whether exactly this is due, runs the step through the runner, and
writes the answer there. It decides nothing. An error of the step becomes an answer; an error of
the shell itself leaves the command unanswered, and the coordinator's sweep sends it again.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from celery import Celery, Task, signals
from celery.exceptions import Ignore

from shared import runner
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.worker_store import Claim, Failed, Result, WorkerStore
from shared.adapters.queue.celery_app import celery_app
from shared.adapters.queue.celery_client import Pong
from shared.adapters.queue.celery_transport import Transport
from shared.adapters.queue.flower_rows import FlowerRows
from shared.adapters.queue.redis_bus import RedisBus
from shared.domain.errors import MigrationError
from shared.domain.messages import Event, StepDone, StepFailed, StepProgress, StepUndone
from shared.domain.migration import Job
from shared.ports import Bus, Done, Pending, Step
from shared.saga.events import Direction
from shared.settings import Settings, load

ALIVE_FILE = "BLUEGREEN_ALIVE_FILE"
_log = structlog.get_logger("worker")


class StepFailedError(Exception):
    """Shows a failed step as failed in Flower; its text is the step's sentence."""


@dataclass(frozen=True)
class Shell:
    """What one worker process has at hand for every command."""

    agent: str
    store: WorkerStore
    bus: Bus
    rows: FlowerRows

    def handle(self, task: Task, step: Step, args: tuple[Any, ...], said: dict[str, Any]) -> str:
        """Do what the message claims if it is due. Returns the sentence of a step that is done.

        Raises Ignore when the row in Flower is to stay as it is, StepFailedError to show a failure.
        """
        request = task.request
        claim = Claim.read(args, said)
        if claim is None or claim.step != step.name:
            self.store.refuse_message("no command of ours", {"task": task.name})
            self.rows.step_rejected(request.id, request.hostname)
            raise Ignore
        with self.store.taken(claim) as job:
            result = attempt(step, claim.direction, job) if job is not None else None
            answered = result is not None and self.store.answer(claim, result)
        if result is None or not answered:
            self.rows.step_rejected(request.id, request.hostname)
            raise Ignore
        self.bus.publish(_event(claim, result))
        return self._show(request.id, request.hostname, result)

    def _show(self, task_id: str, hostname: str, result: Result) -> str:
        match result:
            case Pending():
                self.rows.step_progress(task_id, hostname, result.sentence)
                raise Ignore
            case Failed():
                raise StepFailedError(result.sentence)
            case Done():
                return result.sentence or "done"


def attempt(step: Step, direction: Direction, job: Job) -> Result:
    """Run the step; whatever it raises becomes an answer, and a bug is Broken."""
    log = _log.bind(job=job.id, step=step.name, direction=direction.value, attempt=job.attempt)
    run = runner.forward if direction is Direction.FORWARD else runner.backward
    try:
        result = run(step, job)
    except MigrationError as error:
        log.warning("step.failed", family=error.family, code=error.code, reason=error.message)
        return Failed(_family(error), error.message, error.remedy)
    except Exception as error:
        log.exception("step.raised")
        return Failed("broken", f"{type(error).__name__}: {error}", "this is a bug: report it")
    log.info("step.pending" if isinstance(result, Pending) else "step.done", said=result.sentence)
    return result


def make_worker(agent: str, build_steps: Callable[[Settings], Sequence[Step]]) -> Celery:
    """The Celery application of one agent. Reads the settings that the environment names."""
    settings = load(os.environ)
    app = celery_app(settings, f"bluegreen.{agent}")
    signals.setup_logging.connect(_set_up_logging, weak=False)
    database = ControlDatabase(settings, application_name=f"bluegreen/{agent}", agent=agent)
    shell = Shell(agent, WorkerStore(database, agent), RedisBus(settings), FlowerRows(app))
    for step in build_steps(settings):
        _register(app, shell, step)

    pong = Pong(settings, agent)

    def ping(nonce: str) -> None:
        pong(nonce)

    app.task(ping, name=f"{agent}.ping", shared=False, send_events=False)
    _audit_what_is_refused(shell)
    _show_life(os.environ.get(ALIVE_FILE, ""))
    return app


def run_beside(app: Celery, name: str, target: Callable[[threading.Event], None]) -> None:
    """Run `target` in a thread while the worker runs; its event says when to stop.

    A target that raises ends the process: the supervisor starts a whole one again.
    """
    stop = threading.Event()

    def body() -> None:
        try:
            target(stop)
        except BaseException:
            _log.exception("thread.died", thread=name)
            os._exit(70)

    thread = threading.Thread(target=body, name=name, daemon=True)
    signals.worker_ready.connect(lambda **_: thread.start(), weak=False)
    signals.worker_shutting_down.connect(lambda **_: stop.set(), weak=False)


def on_wake(app: Celery, agent: str, ring: Callable[[], None]) -> None:
    """Register the doorbell task `<agent>.wake`."""

    def wake(job: str = "") -> str:
        ring()
        return job

    app.task(wake, name=f"{agent}.wake", shared=False)


def _register(app: Celery, shell: Shell, step: Step) -> None:
    def command(self: Task, *args: Any, **said: Any) -> str:
        return shell.handle(self, step, args, said)

    name = f"{shell.agent}.{step.name}"
    app.task(command, name=name, bind=True, throws=(StepFailedError,), typing=False, shared=False)


def _audit_what_is_refused(shell: Shell) -> None:
    """One audit entry for an item that is no message, and for a task that nobody here knows."""

    def refused(queue: str, reason: str) -> None:
        try:
            shell.store.refuse_message(reason, {"queue": queue or shell.agent})
        except MigrationError as error:
            _log.warning("audit.lost", reason=error.message)

    def unknown(name: str | None = None, **_: Any) -> None:
        refused("", f"unknown task {str(name)[:80]}")

    Transport.on_refused = staticmethod(refused)
    signals.task_unknown.connect(unknown, weak=False)


def _family(error: MigrationError) -> Any:
    return error.family


def _event(claim: Claim, result: Result) -> Event:
    about: dict[str, Any] = {
        "at": datetime.now(UTC),
        "job": claim.job,
        "step": claim.step,
        "attempt": claim.attempt,
        "epoch": claim.epoch,
        "sentence": result.sentence,
    }
    match result:
        case Pending():
            return StepProgress(**about, progress=result.progress)
        case Failed():
            return StepFailed(**about, family=result.family, remedy=result.remedy)
        case Done() if claim.direction is Direction.BACKWARD:
            return StepUndone(**about)
        case Done():
            return StepDone(**about)


def _show_life(file: str) -> None:
    """Touch that file as often as the worker tells Redis that it lives: for a health check that
    costs nothing."""
    if file:
        signals.heartbeat_sent.connect(lambda **_: Path(file).touch(), weak=False)


def _set_up_logging(**_: Any) -> None:
    """One JSON object per line on stderr: ours and those of the libraries."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("action"),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
