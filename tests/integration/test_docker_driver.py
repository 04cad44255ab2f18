"""The driver `docker` and a keeper that is away for a moment."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from shared.adapters.drivers import docker_driver
from shared.adapters.drivers.docker_driver import DockerDriver
from shared.domain.environment import Colour
from shared.domain.errors import Transient

AWAY_S = 0.5
STATE = {"running": True, "access": "open", "free_disk_bytes": 1}


class Keeper(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"answer": STATE}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        """Quiet: a test's output is its failures."""


@contextmanager
def keeper_after(seconds: float, path: Path) -> Iterator[None]:
    """A keeper that begins to listen a moment later."""
    servers: list[socketserver.UnixStreamServer] = []

    def begin() -> None:
        server = socketserver.UnixStreamServer(str(path), Keeper)
        servers.append(server)
        server.serve_forever(poll_interval=0.05)

    timer = threading.Timer(seconds, begin)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        for server in servers:
            server.shutdown()
            server.server_close()
        timer.join(5)


def test_a_keeper_that_is_renewed_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "keeper.sock"
    with keeper_after(AWAY_S, path):
        assert DockerDriver(path, Colour.BLUE).is_running()


def test_a_keeper_that_stays_away_is_said_with_what_starts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_driver, "RESTART_S", AWAY_S)
    with pytest.raises(Transient, match="up -d keeper"):
        DockerDriver(tmp_path / "keeper.sock", Colour.BLUE).is_running()
