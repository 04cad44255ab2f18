"""The control database as the commands that only look need it; the stack's settings."""

from __future__ import annotations

from producer.configuration import Configuration
from producer.services import service
from shared.adapters.control.store import control_store
from shared.domain.errors import Refused, Transient
from shared.ports import ControlStore
from shared.settings import Settings, load

UNDEFINED_TABLE = "42P01"


def settings_of(configuration: Configuration) -> Settings:
    """Raises Refused when no stack is known here, or DB_NAME means another database."""
    settings = load(configuration.environment)
    named = configuration.environment.get("DB_NAME")
    if named and named != settings.database:
        raise Refused(
            f"DB_NAME says {named}, this stack migrates {settings.database}",
            remedy="unset DB_NAME, or name another stack with BLUEGREEN_STATE_DIR",
        )
    return settings


def open_store(settings: Settings) -> ControlStore:
    """The control database, which answers now. Raises Transient when it does not."""
    store = control_store(settings)
    with service("control database", settings.control.host, settings.control.port):
        try:
            store.jobs(limit=1)
        except Refused as error:
            if error.code == UNDEFINED_TABLE:
                raise Transient("the coordinator has not set it up yet") from error
            raise
    return store


def store_of(configuration: Configuration) -> ControlStore:
    return open_store(settings_of(configuration))
