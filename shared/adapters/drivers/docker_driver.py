"""What needs the host of a node of the compose stack: NodeDriver over the keeper's socket.

An agent never reaches the container engine: it gives one of a few orders to the keeper, the one
service that does (shared/adapters/keeper).
"""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from shared.adapters.keeper import orders
from shared.adapters.keeper.orders import NodeState
from shared.domain.environment import Colour
from shared.domain.errors import FAMILIES, Broken, MigrationError, Refused, Transient
from shared.ports import Commit, DeedState, HostLoad
from shared.settings import Settings

LIMIT_S = 65.0
"""Longer than the keeper waits for the engine; an order with a limit of its own adds to it."""
RESTART_S = 15.0
"""How long a keeper that is being renewed is waited for. Nothing was asked yet, so nothing is
asked twice."""
LOOK_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class DockerDriver:
    """The driver of one node, for an agent that mounts a socket of the keeper."""

    socket: Path
    colour: Colour

    @classmethod
    def of(cls, settings: Settings, colour: Colour) -> DockerDriver:
        """Raises Refused when this agent was given no way to the keeper."""
        if settings.keeper is None:
            raise Refused(
                f"expected a socket of the keeper for the driver `docker` of {colour}, found none",
                remedy="set `keeper.socket`, or choose another driver for this node",
            )
        return cls(settings.keeper.socket, colour)

    def state(self) -> NodeState:
        return NodeState.model_validate(self._ask(orders.Look(colour=self.colour)))

    def is_running(self) -> bool:
        return self.state().running

    def start(self, *, limit_s: float) -> None:
        self._ask(orders.Start(colour=self.colour, limit_s=limit_s), limit_s)

    def stop(self, *, mode: Literal["fast", "immediate"] = "fast", limit_s: float) -> None:
        self._ask(orders.Stop(colour=self.colour, mode=mode, limit_s=limit_s), limit_s)

    def reload(self) -> None:
        self._ask(orders.Reload(colour=self.colour))

    def set_access(self, level: Literal["open", "closed"]) -> None:
        self._ask(orders.SetAccess(colour=self.colour, level=level))

    def access(self) -> Literal["open", "closed"]:
        return self.state().access

    def set_recovery(self, settings: Mapping[str, str], *, standby: bool) -> None:
        self._ask(orders.SetRecovery(colour=self.colour, settings=dict(settings), standby=standby))

    def clear_recovery(self) -> None:
        self._ask(orders.ClearRecovery(colour=self.colour))

    def start_deed(self, name: str, program: str, args: Sequence[str]) -> None:
        if program not in ("pg_rewind", "pg_basebackup"):
            raise Broken(f"expected pg_rewind or pg_basebackup, found {program}")
        self._ask(orders.StartDeed(
            colour=self.colour, name=name, program=program, args=tuple(args),
        ))  # fmt: skip

    def look_at_deed(self, name: str) -> DeedState:
        state, last_line, progress = self._ask(orders.LookAtDeed(colour=self.colour, name=name))
        return DeedState(state, last_line, progress)

    def forget_deed(self, name: str) -> None:
        self._ask(orders.ForgetDeed(colour=self.colour, name=name))

    def free_disk_bytes(self) -> int:
        return self.state().free_disk_bytes

    def load(self) -> HostLoad:
        """Memory is measured against the container's own limit."""
        found = self.state().load
        if found is None:
            raise Transient(f"expected {self.colour} to run and its engine to measure it")
        return HostLoad(**found.model_dump())

    def end(self, *, limit_s: float) -> None:
        self._ask(orders.End(colour=self.colour, limit_s=limit_s), limit_s)

    def commits_after(self, lsn: str) -> Sequence[Commit] | None:
        found = self._ask(orders.CommitsAfter(colour=self.colour, lsn=lsn))
        return None if found is None else [Commit(*commit) for commit in found]

    def restore_command(self) -> str:
        return orders.READ_ON

    def _ask(self, order: orders.Order, limit_s: float = 0) -> Any:
        """Raises Transient when the keeper or the engine does not answer, Broken for an order
        that must not be obeyed."""
        try:
            connection = _Connection(self.socket, LIMIT_S + limit_s)
            connection.request("POST", "/", order.model_dump_json())
            answer = connection.getresponse()
            code, body = answer.status, json.loads(answer.read())
            connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Transient(
                f"expected the keeper at {self.socket}, found {error or type(error).__name__}; "
                "`docker compose -f docker-compose.migrations.yml up -d keeper` starts it"
            ) from error
        if code == http.client.OK:
            return body["answer"]
        raise _error(code, body)


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, limit_s: float) -> None:
        super().__init__("keeper", timeout=limit_s)
        self._path = path

    def connect(self) -> None:
        deadline = time.monotonic() + RESTART_S
        while True:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(self.timeout)
            try:
                return self.sock.connect(str(self._path))
            except (ConnectionRefusedError, FileNotFoundError):
                self.sock.close()
                if time.monotonic() > deadline:
                    raise
            time.sleep(LOOK_AGAIN_S)


def _error(code: int, body: Mapping[str, str]) -> MigrationError:
    family = FAMILIES.get(body.get("family", ""), Broken)
    if code == http.client.SERVICE_UNAVAILABLE and issubclass(family, Transient):
        return family(body["message"])
    return Broken(f"the keeper: {body['message']}")
