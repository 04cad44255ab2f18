"""Real Redis and control database, the coordinator and two toy agents, as processes to kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import redis

from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.store import PostgresControlStore
from shared.adapters.embedded.packages import unpacked
from shared.adapters.queue import redis_bus
from shared.adapters.queue.agents import worker_argv
from shared.adapters.queue.celery_client import wake_coordinator
from shared.domain.environment import Colour
from shared.domain.kinds import Kind, Outcome
from shared.domain.migration import RunOptions
from shared.ports import Steering
from shared.settings import Settings
from tests.support.cluster import Server, free_port, postgres
from tests.support.control import installed
from tests.support.toy_agents import RECIPES
from tests.support.wait import until

AGENTS = {
    "coordinator": "workers.coordinator.app",
    "validator": "tests.support.toy_agents",
    "replicator": "tests.support.toy_agents",
}


def redis_program() -> str:
    found = shutil.which("redis-server")
    root = None if found else unpacked("redis", ("redis-server", "redis-tools"), owner=None)
    return found or str(root / "usr/bin/redis-server")


@dataclass
class ShellStack:
    settings: Settings
    database: ControlDatabase
    control: Server
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def world(self) -> Path:
        return self.settings.state_dir / "world"

    @property
    def store(self) -> PostgresControlStore:
        return PostgresControlStore(self.database, RECIPES)

    @property
    def redis(self) -> redis.Redis:
        return redis_bus.client(self.settings)

    def log_of(self, name: str) -> Path:
        return self.settings.state_dir / f"{name}.log"

    def start_redis(self) -> None:
        port = self.settings.redis.port
        self._start(
            "redis", [redis_program(), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        )
        with self.redis as client:
            until(lambda: _answers(client), limit_s=10, what="Redis answers")

    def start(self, *agents: str) -> None:
        """Start workers and wait until they consume."""
        for agent in agents:
            self.log_of(agent).unlink(missing_ok=True)
            self._start(agent, worker_argv(agent, module=AGENTS[agent]), TOY_AGENT=agent)
        for agent in agents:
            until(partial(self.is_ready, agent), limit_s=90, what=f"{agent} is ready")

    @contextmanager
    def second(self, agent: str) -> Iterator[None]:
        """Another process of that agent, for a while."""
        name = f"second-{agent}"
        argv = [*worker_argv(agent, module=AGENTS[agent]), "--hostname", f"{name}@%h"]
        self._start(name, argv, TOY_AGENT=agent)
        try:
            until(partial(self.is_ready, name), limit_s=90, what=f"{name} is ready")
            yield
        finally:
            self.kill(name)
            del self.processes[name]

    def is_ready(self, agent: str) -> bool:
        assert self.processes[agent].poll() is None, self.log_of(agent).read_text()
        return " ready." in self.log_of(agent).read_text()

    def signal(self, name: str, what: signal.Signals) -> None:
        self.processes[name].send_signal(what)

    def kill(self, name: str) -> None:
        self.signal(name, signal.SIGKILL)
        self.processes[name].wait(10)

    def revive(self) -> None:
        """Start whatever has died, as a supervisor would."""
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                self.start_redis() if name == "redis" else self.start(name)

    def plan(self, **steps: dict[str, Any]) -> None:
        """A clean world, in which these steps do as they are told."""
        shutil.rmtree(self.world, ignore_errors=True)
        (self.world / "plan").mkdir(parents=True)
        for step, told in steps.items():
            (self.world / "plan" / f"{step}.json").write_text(json.dumps(told))

    def tell(self, step: str, **told: Any) -> None:
        (self.world / "plan" / f"{step}.json").write_text(json.dumps(told))

    def deeds(self) -> list[str]:
        log = self.world / "log"
        return log.read_text().splitlines() if log.exists() else []

    def standing(self) -> list[str]:
        """The steps whose effect is in the world."""
        return sorted(path.name for path in self.world.iterdir() if path.name not in _OURS)

    def clear(self) -> None:
        """No live job, an empty world, every process there."""
        self.revive()
        self.redis.flushall()
        for table in ("outbox", "answer", "request"):
            self.sql(f"DELETE FROM bluegreen_control.{table}")
        self.sql("UPDATE bluegreen_control.job SET ended_at = now() WHERE ended_at IS NULL")
        self.sql("UPDATE bluegreen_control.job SET file_name = id")
        self.sql("UPDATE bluegreen_control.lease SET job = NULL")
        self.plan()

    def submit(self, **options: Any) -> str:
        job = self.store.submit(
            database="app", kind=Kind.RISKY, file_name="001.sql", sql="SELECT 1",
            options=RunOptions(**options), source=Colour.BLUE, requested_by="alice",
        )  # fmt: skip
        wake_coordinator(self.settings, job)
        return job

    def outcome(self, job: str, *, limit_s: float = 30, revive: bool = False) -> Outcome | None:
        """How it ended; dead processes are started again meanwhile when asked to."""

        def ended() -> bool:
            if revive:
                self.revive()
            return self.store.job(job).outcome is not None

        until(ended, limit_s=limit_s, what=f"job {job} ends")
        return self.store.job(job).outcome

    def ask(self, job: str, what: Steering) -> None:
        self.store.request(job, what, by="bob")
        wake_coordinator(self.settings, job)

    def ends(self, job: str, outcome: Outcome) -> None:
        """It ends like this, after it was stuck."""
        until(
            lambda: self.store.job(job).outcome is outcome, limit_s=15, what=f"{job} ends {outcome}"
        )

    def audit_of(self, job: str) -> list[str]:
        rows = self.sql(
            "SELECT action FROM bluegreen_control.audit WHERE detail->>'job' = %s ORDER BY seq", job
        )
        return [action for (action,) in rows]

    def refused_messages(self) -> int:
        query = "SELECT count(*) FROM bluegreen_control.audit WHERE action = 'message refused'"
        count: int = self.sql(query)[0][0]
        return count

    def reached(self, job: str, step: str, *, limit_s: float = 15) -> None:
        until(lambda: self.store.job(job).step == step, limit_s=limit_s, what=f"{job} is at {step}")

    def begun(self, deed: str, *, limit_s: float = 15) -> None:
        until(lambda: deed in self.deeds(), limit_s=limit_s, what=f"{deed} has begun")

    def sql(self, statement: str, *params: object) -> list[tuple[Any, ...]]:
        with self.database.session() as session:
            cursor = session.connection.execute(statement, params or None)
            return cursor.fetchall() if cursor.description else []

    def _start(self, name: str, argv: list[str], **environment: str) -> None:
        config = self.settings.state_dir / "stack.json"
        with self.log_of(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                argv, stdout=log, stderr=log, cwd=Path(__file__).parents[2],
                env={**os.environ, "BLUEGREEN_CONFIG": str(config), **environment},
            )  # fmt: skip


_OURS = ("plan", "log")


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


@contextmanager
def shell_stack(state_dir: Path) -> Iterator[ShellStack]:
    with ExitStack() as stack:
        control = stack.enter_context(postgres())
        settings = installed(state_dir, control)
        server = settings.redis.model_copy(update={"port": free_port()})
        settings = settings.model_copy(update={"redis": server})
        (state_dir / "stack.json").write_text(settings.model_dump_json())
        running = ShellStack(settings, ControlDatabase(settings, application_name="test"), control)
        stack.callback(_end_all, running)
        running.plan()
        running.start_redis()
        running.start(*AGENTS)
        yield running


def _end_all(stack: ShellStack) -> None:
    for process in stack.processes.values():
        process.kill()
        process.wait(10)
    stack.database.close()
