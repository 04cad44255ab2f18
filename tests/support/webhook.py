"""A local receiver of webhooks, as an alert sink would be."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Webhook:
    port: int
    received: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """As Apprise names it."""
        return f"json://127.0.0.1:{self.port}/alerts"

    def titles(self) -> list[str]:
        return [message["title"] for message in self.received]

    def until(self, title: str, *, limit_s: float = 15) -> dict[str, Any]:
        """The first message of that title. Fails when none comes within the limit."""
        deadline = time.monotonic() + limit_s
        while True:
            for message in list(self.received):
                if message["title"] == title:
                    return message
            assert time.monotonic() < deadline, f"no {title!r} among {self.titles()}"
            time.sleep(0.02)


@contextmanager
def webhook(port: int = 0) -> Iterator[Webhook]:
    """On that port, or on any."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            hook.received.append(json.loads(self.rfile.read(size)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    hook = Webhook(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
