"""What real servers say to whom they do not let in, and what we make of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from shared.adapters.dump.pg_dump import Server as DumpedServer
from shared.adapters.dump.pg_dump import running
from shared.adapters.postgres import PsycopgSession, connect
from shared.domain.errors import Away, MigrationError, Transient
from tests.support.cluster import Server, free_port, postgres

VERSIONS = [15, 18]


@pytest.fixture(scope="module", params=VERSIONS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with postgres(request.param, max_connections="6", superuser_reserved_connections="1") as made:
        with made.connect() as admin:
            admin.execute("CREATE ROLE app LOGIN PASSWORD 'right'")
            admin.execute("CREATE ROLE nobody NOLOGIN")
            admin.execute("CREATE DATABASE closed")
            admin.execute("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
        yield made


@contextmanager
def hba(server: Server, text: str) -> Iterator[None]:
    """These lines instead of the server's own."""
    path = server.data / "pg_hba.conf"
    before = path.read_text()
    path.write_text(text)
    server.run("pg_ctl", "reload", "-D", str(server.data))
    try:
        yield
    finally:
        path.write_text(before)
        server.run("pg_ctl", "reload", "-D", str(server.data))


def login(server: Server, **more: Any) -> PsycopgSession:
    asked: dict[str, Any] = {
        "host": "127.0.0.1", "port": server.port, "database": "postgres", "user": "app",
        "password": "right",
    }  # fmt: skip
    with connect(**(asked | more)) as session:
        return session


def refused(server: Server, code: str, **more: Any) -> MigrationError:
    """The login fails with that code. A reload takes effect a moment after it was asked."""
    for _ in range(200):
        try:
            login(server, **more)
        except MigrationError as error:
            if error.code == code:
                return error
    pytest.fail(f"the login never failed with {code}")


@pytest.mark.parametrize(
    ("lines", "more", "code"),
    [
        ("host all all all scram-sha-256", {"password": "wrong"}, "28P01"),
        ("host all all all scram-sha-256", {"user": "unknown"}, "28P01"),
        ("host all all all reject", {}, "28000"),
        ("local all all trust", {}, "28000"),
        ("host all all all trust", {"user": "nobody"}, "28000"),
        ("host all all all trust", {"user": "unknown"}, "28000"),
        ("host all all all trust", {"database": "gone"}, "3D000"),
        ("host all all all trust", {"database": "closed"}, "42501"),
    ],
)
def test_a_server_that_answers_is_not_waited_for_and_what_helps_is_said(
    server: Server, lines: str, more: dict[str, str], code: str
) -> None:
    with hba(server, lines + "\n"):
        error = refused(server, code, **more)
    assert type(error) is Transient
    assert error.remedy
    login(server)


def test_a_server_that_is_full_answers(server: Server) -> None:
    with ExitStack() as held:
        for _ in range(5):
            held.enter_context(
                connect(host="127.0.0.1", port=server.port, database="postgres", user="app",
                        password="right")
            )  # fmt: skip
        error = refused(server, "53300")
    assert type(error) is Transient
    assert "max_connections" in error.remedy


def test_where_nobody_listens_it_is_waited_for(server: Server) -> None:
    assert type(refused(server, "08001", port=free_port())) is Away
    assert type(refused(server, "08001", host="no.such.host.invalid")) is Away


@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_that_does_not_accept_connections_yet_is_waited_for(version: int) -> None:
    """One that recovers, and lets nobody read meanwhile, says what one that starts says."""
    with postgres(version) as server:
        server.stop()
        (server.data / "standby.signal").touch()
        server.settings["hot_standby"] = "off"
        server.start()
        assert type(refused(server, "57P03")) is Away
        with pytest.raises(Away) as dumped:
            _dump(server)
        assert dumped.value.code == "57P03"


def _dump(server: Server) -> None:
    dumped = DumpedServer("127.0.0.1", server.port, "postgres", "app", "right")
    with running(server.bin / "pg_dump", dumped, [], limit_s=20) as process:
        process.output.read()
        process.finish()
