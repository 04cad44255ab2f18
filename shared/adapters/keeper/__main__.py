"""The keeper: hears orders on Unix sockets, and gives them to the engine.

`python -m shared.adapters.keeper`. Two sockets in two volumes: on one every order is heard (the
replicator mounts it), on the other what a takeover needs (the health-monitor). It has no network,
no password, and no settings of the stack.
"""

from __future__ import annotations

import json
import os
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import docker
from pydantic import BaseModel, ValidationError

from shared.adapters.keeper import orders
from shared.adapters.keeper.engine import ENGINE_LIMIT_S, Engine
from shared.domain.errors import MigrationError

MOUNTS = Path("/nodes")
SOCKETS: dict[Path, tuple[type[BaseModel], ...]] = {
    Path("/run/keeper/all/keeper.sock"): (BaseModel,),
    Path("/run/keeper/fence/keeper.sock"): orders.FENCING,
}
"""Path -> the orders that are heard there."""
LONGEST_ORDER_BYTES = 65_536
SILENCE_LIMIT_S = 10.0


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path: Path, engine: Engine, heard: tuple[type[BaseModel], ...]) -> None:
        path.unlink(missing_ok=True)
        super().__init__(str(path), _Handler)
        path.chmod(0o666)  # who mounts the volume may speak
        self.engine, self.heard = engine, heard


class _Handler(BaseHTTPRequestHandler):
    """One order: POST with a JSON body; 200 with the answer, else an error of our tree."""

    server: _Server
    timeout = SILENCE_LIMIT_S
    protocol_version = "HTTP/1.0"

    def do_POST(self) -> None:
        try:
            length = int(self.headers.get("Content-Length", "0"))
            if not 0 < length <= LONGEST_ORDER_BYTES:
                return self._answer(400, {"message": "an order has a length, and a small one"})
            order = orders.ORDERS.validate_json(self.rfile.read(length))
        except (ValueError, ValidationError) as error:
            first = str(error).splitlines()[0]
            return self._answer(400, {"message": f"not an order of the keeper: {first}"})
        if not isinstance(order, self.server.heard):
            return self._answer(403, {"message": f"{order.order} is not heard on this socket"})
        try:
            self._answer(200, {"answer": obey(self.server.engine, order)})
        except MigrationError as error:
            self._answer(503, {"family": error.family, "message": error.message})

    def do_GET(self) -> None:
        """For the health check."""
        self._answer(200, {"answer": "here"})

    def address_string(self) -> str:
        return "socket"

    def log_message(self, format: str, *args: Any) -> None:
        """What is worth a line is an order, not a request."""

    def _answer(self, code: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def obey(engine: Engine, order: orders.Order) -> Any:
    """Raises what the engine raises."""
    if not isinstance(order, orders.LOOKING):
        _log(order)
    match order:
        case orders.Look():
            return engine.look(order.colour).model_dump()
        case orders.Start():
            return engine.start(order.colour, order.limit_s)
        case orders.Stop():
            return engine.stop(order.colour, order.mode, order.limit_s)
        case orders.End():
            return engine.end(order.colour, order.limit_s)
        case orders.CommitsAfter():
            found = engine.commits_after(order.colour, order.lsn)
            return None if found is None else [[commit.lsn, commit.at] for commit in found]
        case orders.Reload():
            return engine.reload(order.colour)
        case orders.StartDeed() | orders.LookAtDeed() | orders.ForgetDeed():
            return _deed(engine, order)
        case _:
            return _configure(engine, order)


def _configure(
    engine: Engine, order: orders.SetAccess | orders.SetRecovery | orders.ClearRecovery
) -> None:
    match order:
        case orders.SetAccess():
            engine.set_access(order.colour, order.level)
        case orders.SetRecovery():
            engine.set_recovery(order.colour, order.settings, standby=order.standby)
        case orders.ClearRecovery():
            engine.clear_recovery(order.colour)


def _deed(engine: Engine, order: orders.StartDeed | orders.LookAtDeed | orders.ForgetDeed) -> Any:
    match order:
        case orders.StartDeed():
            return engine.start_deed(order.colour, order.name, order.program, order.args)
        case orders.LookAtDeed():
            found = engine.look_at_deed(order.colour, order.name)
            return [found.state, found.last_line, found.progress]
        case orders.ForgetDeed():
            return engine.forget_deed(order.colour, order.name)


def _log(order: orders.Order) -> None:
    print(json.dumps({"order": order.order, "node": order.colour}), file=sys.stderr, flush=True)


def main() -> None:
    client = docker.DockerClient(
        base_url=os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"),
        timeout=ENGINE_LIMIT_S,
    )
    engine = Engine(os.environ["BLUEGREEN_PROJECT"], MOUNTS, client)
    servers = [_Server(path, engine, heard) for path, heard in SOCKETS.items()]
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    servers[0].serve_forever()


if __name__ == "__main__":
    main()
