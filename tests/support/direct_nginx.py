"""The direct door as an application meets it: nginx before the symlink of a cutover's world."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from shared.adapters.embedded.accounts import server_account
from shared.adapters.embedded.server_binaries import find_servers
from shared.settings import Settings
from tests.support.cluster import free_port, unprivileged
from tests.support.roles import DATABASE
from tests.support.wait import until

CONF = """
{load}
daemon off; worker_processes 1; pid {root}/nginx.pid; error_log {root}/nginx.log warn;
events {{ worker_connections 1024; }}
stream {{ access_log off; tcp_nodelay on; proxy_timeout 24h;
  server {{ listen 127.0.0.1:{port}; proxy_pass unix:{link}; }} }}
"""


@dataclass
class DirectNginx:
    conf: Path
    port: int

    @property
    def dsn(self) -> str:
        return f"host=127.0.0.1 port={self.port} dbname={DATABASE} user=app"

    def side(self, *, limit_s: int = 10) -> str:
        """The side that answers a new connection."""
        with psycopg.connect(self.dsn, connect_timeout=limit_s) as client:
            row = client.execute("SELECT current_setting('cluster_name')").fetchone()
        assert row is not None
        return str(row[0]).removeprefix("bluegreen-")


@contextmanager
def direct_nginx(settings: Settings) -> Iterator[DirectNginx]:
    root = Path(tempfile.mkdtemp(prefix="bluegreen-nginx-"))
    drop = unprivileged()  # as the servers' user it may enter the directories of their sockets
    if drop:
        os.chown(root, drop["user"], drop["group"])  # type: ignore[arg-type]
    servers, port = find_servers(server_account()), free_port()
    load = f"load_module {servers.nginx_stream};" if servers.nginx_stream else ""
    conf = root / "nginx.conf"
    link = settings.doors.direct_link
    conf.write_text(CONF.format(load=load, root=root, port=port, link=link))
    process = subprocess.Popen(
        [servers.nginx, "-e", str(root / "nginx.log"), "-p", str(root), "-c", str(conf)],
        cwd=root,
        **unprivileged(),
    )
    door = DirectNginx(conf, port)
    try:
        until(lambda: _answers(door), limit_s=10, what="nginx answers")
        yield door
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(root, ignore_errors=True)


def _answers(door: DirectNginx) -> bool:
    with suppress(psycopg.Error):
        return bool(door.side(limit_s=2))
    return False
