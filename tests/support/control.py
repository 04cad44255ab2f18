"""A control database for tests, and settings that point at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.install import install
from shared.adapters.control.roles import create_control_roles, grant
from shared.domain.environment import Colour
from shared.domain.objects import CONTROL_ROLES
from shared.settings import (
    DoorSettings,
    NodeSettings,
    PoolerSettings,
    RedisSettings,
    ServerSettings,
    Settings,
)
from tests.support.cluster import Server, postgres

FORBIDDEN = {
    "the audit is not written": "INSERT INTO bluegreen_control.audit SELECT * FROM"
    " bluegreen_control.audit LIMIT 0",
    "nor changed": "UPDATE bluegreen_control.audit SET actor = 'nobody'",
    "history is not taken back": "DELETE FROM bluegreen_control.history",
    "a job is not taken away": "DELETE FROM bluegreen_control.job",
    "nothing is emptied": "TRUNCATE bluegreen_control.outbox",
    "no table is made": "CREATE TABLE bluegreen_control.mine (n int)",
    "no command is changed": "UPDATE bluegreen_control.outbox SET owner = 'backup'",
    "row security stays": "ALTER TABLE bluegreen_control.outbox DISABLE ROW LEVEL SECURITY",
}
"""Statements that no agent may give, each by what holds then."""


def settings_for(state_dir: Path, *, control_port: int) -> Settings:
    """Settings in which only the control database and Redis are real."""
    secrets = state_dir / "secrets"
    secrets.mkdir(exist_ok=True)
    for name in ("postgres", "redis"):
        (secrets / name).write_text("", encoding="utf-8")
    host = "127.0.0.1"
    return Settings(
        state_dir=state_dir,
        database="app",
        application_role="app",
        nodes={
            colour: NodeSettings(
                colour=colour, driver="local", host=host, port=1, cluster_name=colour.value
            )
            for colour in Colour
        },
        control=ServerSettings(host=host, port=control_port, database="postgres", user="postgres"),
        redis=RedisSettings(host=host, port=1),
        pooler=PoolerSettings(host=host, port=1, route_file=state_dir / "route.ini"),
        doors=DoorSettings(
            host=host, pooled_port=1, direct_port=1, direct_link=state_dir / "active.sock"
        ),
        secrets_dir=secrets,
        backup_dir=state_dir / "backups",
    )


def installed(state_dir: Path, server: Server) -> Settings:
    """Settings for a control database on that server, which gets its schema."""
    settings = settings_for(state_dir, control_port=server.port)
    database = ControlDatabase(settings, application_name="test")
    with database.session() as session:
        install(session)
    database.close()
    return settings


def installed_with_roles(state_dir: Path, server: Server) -> Settings:
    """The same with a login of its own for each agent; granted twice, as a second start does."""
    plain = settings_for(state_dir, control_port=server.port)
    for role in CONTROL_ROLES.values():
        (plain.secrets_dir / role).write_text("trusted", encoding="utf-8")
    control = plain.control.model_copy(update={"own_roles": True})
    settings = plain.model_copy(update={"control": control})
    owner = ControlDatabase(settings, application_name="owner")
    with owner.session() as session:
        create_control_roles(session, settings.secret)
        for _ in range(2):
            install(session)
            grant(session)
    owner.close()
    return settings


@contextmanager
def control_database(state_dir: Path) -> Iterator[Settings]:
    """A running control database with its schema."""
    with postgres() as server:
        yield installed(state_dir, server)
