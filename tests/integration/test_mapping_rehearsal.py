"""A file is rehearsed on copies of the schema: the mapping says what it does, or why not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.adapters.pg_dump import Server as Reached
from shared.adapters.rehearsal import ScratchRehearsalRoom
from shared.adapters.schema_copy import Copies
from shared.mapping.model import Mapping
from tests.support.cluster import Server, postgres
from tests.support.roles import create_roles
from tests.support.shapes import FILE, SCHEMA


@pytest.fixture(scope="module", params=[15, 18])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with postgres(request.param) as running:
        with running.connect() as admin:
            create_roles(admin)
            admin.execute("CREATE ROLE bg_owner SUPERUSER NOLOGIN")
        with running.connect("app", "app") as connection:
            connection.execute(SCHEMA)
        yield running


def room(server: Server) -> ScratchRehearsalRoom:
    reached = Reached("127.0.0.1", server.port, "app", "bg_replicator", "")
    return ScratchRehearsalRoom(Copies(reached, server.bin))


def rehearse(server: Server, sql: str) -> Mapping:
    return Mapping.model_validate(room(server).rehearse(sql).mapping)


def test_the_mapping_names_every_column_in_both_shapes(server: Server) -> None:
    rehearsed = room(server).rehearse(FILE)
    assert rehearsed.run_as == "app"
    mapping = Mapping.model_validate(rehearsed.mapping)
    users = next(table for table in mapping.tables if table.sync.name == "users")
    kinds = {(c.kind, c.sync, c.final) for c in users.columns}
    assert kinds == {
        ("kept", "id", "id"),
        ("kept", "mail", "email"),
        ("kept", "age", "age"),
        ("landing", "bio", "bluegreen_l_bio"),
        ("computed", "bluegreen_r_bio", "bio"),
        ("dropped", "legacy", "legacy"),
        ("landing", "price", "bluegreen_l_price"),
        ("computed", "bluegreen_r_price", "price"),
        ("kept", "mood", "mood"),
        ("new", "tier", "tier"),
        ("new", "score", "score"),
    }
    assert Mapping.model_validate_json(mapping.model_dump_json()) == mapping
    assert room(server).is_clear()
