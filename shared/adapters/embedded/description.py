"""What a person or a test needs in order to talk to a stack: every address, with its secret."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from shared.domain.environment import Colour
from shared.settings import Settings

FLOWER_USER = "flower"


@dataclass(frozen=True, slots=True)
class StackDescription:
    app: str
    """The pooled door, as the application role."""
    direct: str
    """The direct door, as the application role."""
    blue: str
    green: str
    """Each node past the doors, as the administrator."""
    control: str
    redis: str
    flower: str
    pgbouncer_admin: str
    state_dir: Path

    def as_json(self) -> dict[str, str]:
        """The keys that `bluegreen up --json` prints."""
        return {
            "app": self.app, "direct": self.direct, "blue": self.blue, "green": self.green,
            "control": self.control, "redis": self.redis, "flower": self.flower,
            "pgbouncerAdmin": self.pgbouncer_admin, "stateDir": str(self.state_dir),
        }  # fmt: skip


def describe(settings: Settings) -> StackDescription:
    """Raises Refused when a secret cannot be read."""
    doors, control, redis = settings.doors, settings.control, settings.redis
    application = settings.application_role
    flower = settings.flower
    return StackDescription(
        app=_dsn(settings, application, doors.host, doors.pooled_port, settings.database),
        direct=_dsn(settings, application, doors.host, doors.direct_port, settings.database),
        blue=_node(settings, Colour.BLUE),
        green=_node(settings, Colour.GREEN),
        control=_dsn(settings, control.user, control.host, control.port, control.database),
        redis=_url("redis", "", settings.secret("redis"), redis.host, redis.port,
                   str(redis.database)),
        flower="" if flower is None else _url(
            "http", FLOWER_USER, settings.secret("flower"), flower.host, flower.port, ""),
        pgbouncer_admin=_dsn(settings, settings.pooler.admin_user, settings.pooler.host,
                             settings.pooler.port, "pgbouncer"),
        state_dir=settings.state_dir,
    )  # fmt: skip


def _node(settings: Settings, colour: Colour) -> str:
    node = settings.nodes[colour]
    return _dsn(settings, node.administrator, node.host, node.port, settings.database)


def _dsn(settings: Settings, user: str, host: str, port: int, database: str) -> str:
    return _url("postgresql", user, settings.secret(user), host, port, database)


def _url(scheme: str, user: str, secret: str, host: str, port: int, path: str) -> str:
    return f"{scheme}://{quote(user)}:{quote(secret, safe='')}@{host}:{port}/{quote(path)}"
