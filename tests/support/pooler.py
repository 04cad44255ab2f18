"""A private PgBouncer for tests, in transaction pooling, whose route file Bluegreen writes."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from shared.adapters.embedded.accounts import server_account
from shared.adapters.embedded.server_binaries import find_servers
from tests.support.cluster import unprivileged

POOL_SIZE = 30
INI = """\
%include {route}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
auth_user = bg_pooler
auth_query = SELECT usename, passwd FROM bluegreen.pooler_auth($1)
admin_users = bg_pooler_admin
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 200
max_prepared_statements = 200
server_login_retry = 1
query_wait_timeout = 30
ignore_startup_parameters = extra_float_digits
"""


@dataclass
class PoolerProcess:
    root: Path
    port: int
    program: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        with (self.root / "pgbouncer.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, self.root / "pgbouncer.ini"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.root, **unprivileged(),
            )  # fmt: skip
        deadline = time.monotonic() + 10
        while True:
            try:
                self.console().close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, "PgBouncer did not start; see its log"
                time.sleep(0.02)

    def console(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, dbname="pgbouncer", user="bg_pooler_admin",
            autocommit=True, connect_timeout=2,
        )  # fmt: skip

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(10)


@contextmanager
def pgbouncer(root: Path, port: int, route_file: Path) -> Iterator[PoolerProcess]:
    """A running pooler; the route file must be there already."""
    (root / "users.txt").write_text('"bg_pooler_admin" ""\n"bg_pooler" ""\n')
    (root / "pgbouncer.ini").write_text(
        INI.format(route=route_file, port=port, users=root / "users.txt", pool_size=POOL_SIZE)
    )
    pooler = PoolerProcess(root, port, find_servers(server_account()).pgbouncer)
    pooler.start()
    try:
        yield pooler
    finally:
        pooler.end()
