"""The composition root of the command line: the only place that knows what the real ones are.

Nothing is connected to before it is needed, and a service that does not answer is named with its
address: `Redis at 127.0.0.1:21879 is not reachable`.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass

from producer.administrator import administrator
from producer.client import Client
from producer.configuration import Configuration
from producer.person import person
from producer.services import service
from producer.store import open_store, settings_of
from shared.adapters.pooler.poolers import poolers_of
from shared.adapters.queue import celery_client, redis_bus
from shared.adapters.schema.catalog_reader import read_catalog
from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.settings import Settings
from shared.sql.catalog import Catalog


def active_side(settings: Settings) -> Colour:
    """The side that serves: where the pooled door leads, read from the running pooler."""
    with service("PgBouncer", settings.pooler.host, settings.pooler.port):
        return poolers_of(settings).routed_to()


@dataclass(frozen=True, slots=True)
class QueueDoorbell:
    """The Doorbell port over Celery's queue on Redis."""

    settings: Settings

    def check(self) -> None:
        with service("Redis", self.settings.redis.host, self.settings.redis.port):
            redis_bus.check(self.settings)

    def ring(self, job: str) -> None:
        with suppress(Transient):
            celery_client.wake_coordinator(self.settings, job)


def connect(configuration: Configuration) -> Client:
    """Everything that jobs need. Raises Transient when the control database does not answer."""
    settings = settings_of(configuration)

    def active() -> Colour:
        colour = active_side(settings)
        administrator(settings, colour, configuration.environment).check()
        return colour

    def schema() -> tuple[Catalog, int]:
        who = administrator(settings, active_side(settings), configuration.environment)
        with who.session() as session:
            return read_catalog(session)

    return Client(
        database=settings.database,
        person=person(),
        store=open_store(settings),
        bus=redis_bus.RedisBus(settings),
        doorbell=QueueDoorbell(settings),
        active=active,
        schema=schema,
        now=time.monotonic,
        pause=time.sleep,
    )
