"""kombu's Redis transport, except that no item on a queue can end the worker that takes it.

With kombu 5.7 an item that is not JSON, or is not shaped like a message, raises in the worker's
event loop, which ends the process. Here it is dropped, and `on_refused` is told.
Source: kombu/transport/redis.py, Channel._brpop_read; virtual/base.py, Message.__init__.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from typing import Any

from kombu.transport import redis

from shared.adapters.queue.agents import AGENTS

Refusal = Callable[[str, str], None]
"""Told the queue and what is wrong with the item."""
_JSON = ("application/json", "utf-8")


def ignore(_queue: str, _reason: str) -> None:
    """The default: nobody is told."""


class _Careful:
    """The channel's part: bytes that are no JSON are taken from the queue, and that is all."""

    connection: Any

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]
        except ValueError as error:  # JSON and text that cannot be decoded
            self.connection.on_refused("", f"not JSON: {error}")
            return True


class Channel(_Careful, redis.Channel):
    pass


class SentinelChannel(_Careful, redis.SentinelChannel):
    pass


class Transport(redis.Transport):
    Channel = Channel
    on_refused: Refusal = staticmethod(ignore)

    def _deliver(self, message: Any, queue: str) -> None:
        reason = flaw(message) if queue in AGENTS else ""
        if reason:
            self.on_refused(queue, reason)
        else:
            super()._deliver(message, queue)  # type: ignore[no-untyped-call]


class SentinelTransport(Transport):
    """The same, where Sentinels say which server is Redis now."""

    Channel = SentinelChannel  # type: ignore[assignment]


def flaw(message: Any) -> str:
    """What keeps an item from being a command as we send them (Celery's protocol 2, JSON, at
    once); empty when nothing does."""
    match message:
        case {
            "body": str(body),
            "headers": {"task": str(), "id": str(), **headers},
            "properties": {"delivery_tag": str(), "delivery_info": dict(), **properties},
            "content-type": str(content_type),
            "content-encoding": str(encoding),
        }:
            if (content_type, encoding) != _JSON or properties.get("body_encoding") != "base64":
                return "not JSON inside"
            if any(headers.get(name) for name in ("eta", "expires")) or _limited(headers):
                return "asks for a delay or a limit, which no command of ours does"
            return _body_flaw(body)
    return "not a message"


def _limited(headers: dict[object, object]) -> bool:
    return headers.get("timelimit", [None, None]) not in ([None, None], None)


def _body_flaw(body: str) -> str:
    try:
        decoded = json.loads(b64decode(body, validate=True))
    except ValueError:
        return "its body is not JSON"
    match decoded:
        case [list(), dict(), dict()]:
            return ""
    return "its body is not that of a task"
