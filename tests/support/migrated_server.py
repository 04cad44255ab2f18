"""A server with the schema of an application, as the stack leaves it, and a room that rehearses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.adapters.dump.pg_dump import Server as Reached
from shared.adapters.rehearsal.rehearsal import ScratchRehearsalRoom
from shared.adapters.schema.schema_copy import Copies
from tests.support.cluster import Server, postgres
from tests.support.roles import create_roles


def copies(server: Server) -> Copies:
    reached = Reached("127.0.0.1", server.port, "app", "bg_replicator", "")
    return Copies(reached, server.bin)


def room(server: Server) -> ScratchRehearsalRoom:
    return ScratchRehearsalRoom(copies(server))


@contextmanager
def migrated_server(version: int, schema: str, **settings: str) -> Iterator[Server]:
    """A server as the stack leaves it, with the schema in its database `app`."""
    with postgres(version, **settings) as running:
        with running.connect() as admin:
            create_roles(admin)
            admin.execute("CREATE ROLE bg_owner SUPERUSER NOLOGIN")
        with running.connect("app", "app") as connection:
            connection.execute(schema)
        yield running
