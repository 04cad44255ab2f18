"""What is sent to workers: commands, the wake-up of the coordinator, a ping through every queue."""

from __future__ import annotations

import secrets
import time
from typing import Any, Self

import redis
from celery import Celery
from kombu.exceptions import OperationalError

from shared.adapters.queue import redis_bus
from shared.adapters.queue.agents import AGENTS
from shared.adapters.queue.celery_app import celery_app
from shared.domain.errors import Transient
from shared.saga.state import Command
from shared.settings import Settings

PONG_KEPT_S = 60
MOST_WAITING = 10
"""Messages in an agent's queue from which on it is pinged no more. One job sends one command at a
time, so a queue that is worked off is shorter."""


def send(app: Celery, command: Command) -> None:
    """Put a command on its agent's queue. Raises Transient when Redis does not take it."""
    _send(
        app,
        f"{command.owner}.{command.step}",
        command.owner,
        command.task_id,
        {
            "job": command.job,
            "step": command.step,
            "direction": command.direction.value,
            "attempt": command.attempt,
            "epoch": command.epoch,
        },
    )


def queue_is_empty(settings: Settings, agent: str) -> bool:
    """Whether no message waits for that agent. Raises Transient when Redis does not answer."""
    try:
        with redis_bus.client(settings) as client:
            return not client.llen(settings.redis.prefix + agent)
    except redis.RedisError as error:
        raise Transient(f"expected Redis to answer, found: {error}") from error


def wake_coordinator(settings: Settings, job: str) -> None:
    """Tell the coordinator that there is something to decide; its sweep would find it anyway.

    Raises Transient, within a second, when Redis does not answer.
    """
    redis_bus.check(settings)
    with celery_app(settings) as app:
        _send(app, "coordinator.wake", "coordinator", f"{job}/wake", {"job": job})


def ping_agents(settings: Settings, *, limit_s: float = 3.0) -> dict[str, float | None]:
    """Seconds until a task through each agent's queue was run; None: not within `limit_s`.

    Raises Transient when Redis does not answer.
    """
    with AgentPing(settings) as ping:
        return ping(limit_s=limit_s)


class AgentPing:
    """The same again and again over connections that are kept from one ping to the next."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._app: Celery | None = None
        self._client: redis.Redis | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, *, limit_s: float) -> dict[str, float | None]:
        """Raises Transient when Redis does not answer; the next call connects anew."""
        try:
            return self._ping(limit_s)
        except Transient:
            self.close()
            raise

    def close(self) -> None:
        for kept in (self._app, self._client):
            if kept is not None:
                kept.close()
        self._app = self._client = None

    def _ping(self, limit_s: float) -> dict[str, float | None]:
        if self._app is None or self._client is None:
            redis_bus.check(self._settings)
            self._app = celery_app(self._settings)
            self._app.conf.task_send_sent_event = False  # nobody wants to see six in four seconds
            self._client = redis_bus.client(self._settings, limit_s=limit_s + redis_bus.LIMIT_S)
        nonce = secrets.token_hex(8)
        began = time.monotonic()
        for agent in self._agents_that_take():
            _send(self._app, f"{agent}.ping", agent, f"ping/{agent}", {"nonce": nonce})
        answered: dict[str, float | None] = dict.fromkeys(AGENTS)
        while None in answered.values() and (left := began + limit_s - time.monotonic()) > 0:
            try:
                found: Any = self._client.blpop([_pong_key(self._settings, nonce)], timeout=left)
            except redis.RedisError as error:
                raise Transient(f"expected Redis to answer, found: {error}") from error
            if found is not None and found[1] in answered:
                answered[found[1]] = time.monotonic() - began
        return answered

    def _agents_that_take(self) -> list[str]:
        """Those whose queue is no heap of what nobody took: of a stopped agent it would fill Redis,
        ping by ping, and be worked off before anything else once the agent is back."""
        assert self._client is not None
        with self._client.pipeline(transaction=False) as pipe:
            for agent in AGENTS:
                pipe.llen(self._settings.redis.prefix + agent)
            try:
                waiting = pipe.execute()
            except redis.RedisError as error:
                raise Transient(f"expected Redis to answer, found: {error}") from error
        return [agent for agent, count in zip(AGENTS, waiting, strict=True) if count < MOST_WAITING]


class Pong:
    """The worker's side of a ping, over a connection that is kept: it comes every few seconds."""

    def __init__(self, settings: Settings, agent: str) -> None:
        self._settings = settings
        self._agent = agent
        self._client = redis_bus.client(settings)

    def __call__(self, nonce: str) -> None:
        key = _pong_key(self._settings, nonce)
        with self._client.pipeline() as pipe:
            pipe.rpush(key, self._agent)
            pipe.expire(key, PONG_KEPT_S)
            pipe.execute()


def _pong_key(settings: Settings, nonce: str) -> str:
    return f"{settings.redis.prefix}pong:{nonce}"


def _send(app: Celery, task: str, queue: str, task_id: str, kwargs: dict[str, object]) -> None:
    shown = " ".join(str(value) for value in kwargs.values())  # Flower's column of arguments
    try:
        app.send_task(task, kwargs=kwargs, queue=queue, task_id=task_id, argsrepr=shown)
    except (OperationalError, redis.RedisError) as error:
        raise Transient(f"expected Redis to take {task}, found: {error}") from error
