"""A PostgreSQL server that was there before a compose stack: a plain container outside of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from shared.adapters.compose.certificates import Authority, Pair
from tests.support.cluster import free_port
from tests.support.compose_stack import ComposeStack

SERVER = "bluegreen-e2e-existing"
NAME = "production"
"""cluster_name of the server."""
SECRETS = {"DB_PASSWORD_FILE": "of-the-administrator", "DB_APP_PASSWORD_FILE": "of-the-shop"}
STARTED_AS_ITS_OWN_USER = """
install -o postgres -g postgres -m 600 /given/server.key /tmp/server.key
exec docker-entrypoint.sh postgres -c ssl=on -c ssl_cert_file=/given/server.crt \
  -c ssl_key_file=/tmp/server.key -c cluster_name=production -c wal_level=logical
"""


@dataclass
class Existing:
    """The server: `postgres`, with the role `shop` and its database."""

    stack: ComposeStack
    host: str
    port: int
    folder: Path

    def sql(self, query: str) -> str:
        said = self.stack.docker("exec", SERVER, "psql", "-U", "postgres", "-d", "shop",
                                 "-XAtc", query)  # fmt: skip
        assert said.code == 0, said.err
        return said.out.strip()

    @property
    def settings(self) -> dict[str, str]:
        """What a user writes into `.env`."""
        for name, secret in SECRETS.items():
            (self.folder / name).write_text(secret, encoding="utf-8")
        return {
            "DB_HOST": self.host, "DB_PORT": str(self.port), "DB_NAME": "shop",
            "DB_USER": "postgres", "DB_APP_USER": "shop", "DB_CLUSTER_NAME": NAME,
            "DB_CA_FILE": str(self.folder / "given/ca.crt"),
            "BLUEGREEN_GREEN_HOST": self.host, "BLUEGREEN_GREEN_PORT": str(free_port()),
            **{name: str(self.folder / name) for name in SECRETS},
        }  # fmt: skip


@contextmanager
def existing_server(stack: ComposeStack, folder: Path) -> Iterator[Existing]:
    """Reached as the host is, by the address that it has for containers; so is the stack from it.

    Its database is not made as the stack's own ones are: text sorts as German does.
    """
    gateway = stack.docker("network", "inspect", "bridge", "-f",
                           "{{(index .IPAM.Config 0).Gateway}}").out.strip()  # fmt: skip
    given = folder / "given"
    authority = Authority(folder / "authority")
    given.mkdir()
    authority.issue(Pair(given / "server.crt", given / "server.key"), [gateway, "migration-proxy"])
    shutil.copy(authority.files.certificate, given / "ca.crt")
    found = Existing(stack, gateway, free_port(), folder)
    with suppress(AssertionError):
        stack.docker("rm", "-f", SERVER)
    said = stack.docker(
        "run", "-d", "--name", SERVER, "-p", f"{found.port}:5432", "-v", f"{given}:/given:ro",
        "-e", f"POSTGRES_PASSWORD={SECRETS['DB_PASSWORD_FILE']}",
        "-e", "POSTGRES_INITDB_ARGS=--locale=C.UTF-8 --locale-provider=icu --icu-locale=de",
        "--entrypoint", "sh", "postgres:17-trixie", "-c", STARTED_AS_ITS_OWN_USER,
    )  # fmt: skip
    assert said.code == 0, said.err
    try:
        _fill(found)
        yield found
    finally:
        stack.docker("rm", "-f", "-v", SERVER)


def _fill(server: Existing) -> None:
    dsn = (
        f"postgresql://postgres:{SECRETS['DB_PASSWORD_FILE']}@{server.host}:{server.port}/postgres"
        f"?sslmode=verify-full&sslrootcert={server.folder}/given/ca.crt"
    )
    deadline = time.monotonic() + 60
    while True:
        try:
            with psycopg.connect(dsn, autocommit=True) as session:
                secret = SECRETS["DB_APP_PASSWORD_FILE"]
                session.execute(f"CREATE ROLE shop LOGIN PASSWORD '{secret}'")
                session.execute("CREATE DATABASE shop OWNER shop")
            break
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, server.stack.docker("logs", SERVER).err[-2000:]
            time.sleep(0.3)
    server.sql("SET ROLE shop; CREATE TABLE orders (id bigint PRIMARY KEY, note text);"
               "INSERT INTO orders SELECT n, 'old' FROM generate_series(1, 1000) AS n")  # fmt: skip
