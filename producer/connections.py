"""The composition root of the command line: the only place that knows what the real ones are.

Nothing is connected to before it is needed, and a service that does not answer is named with its
address: `Redis at 127.0.0.1:21879 is not reachable`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from producer.configuration import Configuration
from shared.adapters.control.store import control_store
from shared.adapters.pgbouncer import PgBouncer
from shared.domain.environment import Colour
from shared.domain.errors import Refused, Transient
from shared.ports import ControlStore
from shared.settings import Settings, load


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


@contextmanager
def service(name: str, host: str, port: int) -> Iterator[None]:
    """Whatever is lost for a moment in here is this service being away."""
    try:
        yield
    except Transient as error:
        raise Transient(
            f"{name} at {host}:{port} is not reachable: {error.message}",
            remedy="`bluegreen doctor` shows what is down",
            code="ServiceDown",
        ) from error


def open_store(settings: Settings) -> ControlStore:
    """The control database, which answers now. Raises Transient when it does not."""
    store = control_store(settings)
    with service("control database", settings.control.host, settings.control.port):
        store.jobs(limit=1)
    return store


def store_of(configuration: Configuration) -> ControlStore:
    return open_store(settings_of(configuration))


def active_side(settings: Settings) -> Colour:
    """The side that serves: where the pooled door leads, read from the running pooler."""
    with service("PgBouncer", settings.pooler.host, settings.pooler.port):
        return PgBouncer(settings).routed_to()
