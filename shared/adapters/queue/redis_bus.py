"""The event stream on Redis, and the doorbells beside it. It wakes; what is true stands elsewhere.

One stream (`<prefix>events`), cut to about the last 10,000 entries. Every call has a limit of a
second beyond the time it was asked to block.
"""

from __future__ import annotations

from typing import Any

import redis
import structlog
from pydantic import ValidationError
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from shared.domain.errors import Transient
from shared.domain.messages import EVENTS, Event
from shared.settings import Settings

STREAM = "events"
MAX_ENTRIES = 10_000
LIMIT_S = 1.0
CONNECT_LIMIT_S = 0.5
SECRET = "redis"
"""Name of the secret that holds Redis' password; an empty one means that it asks for none."""
_log = structlog.get_logger("bus")


def client(settings: Settings, *, limit_s: float = LIMIT_S) -> redis.Redis:
    """A client that gives up early and never tries again by itself."""
    server = settings.redis
    reach: dict[str, Any] = {
        "ssl": server.ca_file is not None,
        "ssl_ca_certs": str(server.ca_file or "") or None,
        "socket_timeout": limit_s,
        "socket_connect_timeout": CONNECT_LIMIT_S,
        "retry": Retry(NoBackoff(), 0),
        "decode_responses": True,
    }
    account: dict[str, Any] = {
        "db": server.database,
        "username": server.user,
        "password": settings.secret(SECRET) or None,
    }
    if not server.sentinels:
        return redis.Redis(host=server.host, port=server.port, **account, **reach)
    if not reach["ssl"]:
        del reach["ssl_ca_certs"]
    sentinels = [(host, int(port)) for host, _, port in
                 (address.partition(":") for address in server.sentinels)]  # fmt: skip
    asked = Sentinel(sentinels, sentinel_kwargs=reach)  # type: ignore[no-untyped-call]
    found: redis.Redis = asked.master_for(server.master, **account, **reach)  # type: ignore[no-untyped-call]
    return found


def check(settings: Settings) -> None:
    """Raises Transient, within a second, when Redis does not answer."""
    with client(settings, limit_s=CONNECT_LIMIT_S) as redis_client:
        try:
            redis_client.ping()
        except redis.RedisError as error:
            raise _unreachable(settings, error) from error


class RedisBus:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key = settings.redis.prefix + STREAM
        self._client = client(settings)
        self._readers: dict[int, redis.Redis] = {}
        """By how long they block: a client's limit is longer than that."""

    def publish(self, event: Event) -> None:
        try:
            self._client.xadd(
                self._key, {"event": event.model_dump_json()}, maxlen=MAX_ENTRIES, approximate=True
            )
        except redis.RedisError as error:
            _log.warning("event.lost", event_type=event.type, reason=str(error))

    def read(self, after: str, *, block_ms: int) -> list[tuple[str, Event]]:
        """Raises Transient when Redis does not answer. What is no event is left out."""
        try:
            found: Any = self._reader(block_ms).xread(
                {self._key: after}, count=500, block=max(1, block_ms)
            )
        except redis.RedisError as error:
            raise _unreachable(self._settings, error) from error
        entries = found[0][1] if found else []
        events = ((entry, _decode(fields)) for entry, fields in entries)
        return [(entry, event) for entry, event in events if event is not None]

    def newest(self) -> str:
        """The id to read after, so that only what comes from now on is read."""
        try:
            found: Any = self._client.xrevrange(self._key, count=1)
        except redis.RedisError as error:
            raise _unreachable(self._settings, error) from error
        return found[0][0] if found else "0-0"

    def close(self) -> None:
        for one in (self._client, *self._readers.values()):
            one.close()

    def _reader(self, block_ms: int) -> redis.Redis:
        if block_ms not in self._readers:
            self._readers[block_ms] = client(self._settings, limit_s=block_ms / 1000 + LIMIT_S)
        return self._readers[block_ms]


def _decode(fields: dict[str, str]) -> Event | None:
    try:
        return EVENTS.validate_json(fields.get("event", ""))
    except ValidationError:
        return None


def _unreachable(settings: Settings, error: redis.RedisError) -> Transient:
    where = f"{settings.redis.host}:{settings.redis.port}"
    return Transient(f"expected Redis at {where}, found: {error}", code="08000")
