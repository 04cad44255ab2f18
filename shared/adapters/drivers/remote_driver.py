"""A server that is known by its address only: whatever needs its host is refused.

For managed services, and for processes that only talk to a server and must start quickly. Whether
it runs is whether something accepts connections at that address.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn

from shared.adapters.postgres import PostgresNode
from shared.domain.environment import Colour
from shared.domain.errors import Refused
from shared.ports import DeedState, Node
from shared.settings import NodeSettings, Settings

LIMIT_S = 3.0


def addressed_nodes(settings: Settings, role: str) -> dict[Colour, Node]:
    """Both servers as that role sees them, without what needs their hosts."""
    return {
        colour: PostgresNode(settings, colour, role, RemoteDriver(colour, node))
        for colour, node in settings.nodes.items()
    }


@dataclass(frozen=True, slots=True)
class RemoteDriver:
    colour: Colour
    node: NodeSettings

    def is_running(self) -> bool:
        try:
            socket.create_connection((self.node.host, self.node.port), LIMIT_S).close()
        except OSError:
            return False
        return True

    def start(self, *, limit_s: float) -> None:
        self._refuse("start it")

    def stop(self, *, mode: Literal["fast", "immediate"] = "fast", limit_s: float) -> None:
        self._refuse("stop it")

    def reload(self) -> None:
        self._refuse("reload its configuration")

    def set_access(self, level: Literal["open", "closed"]) -> None:
        self._refuse("change its pg_hba")

    def access(self) -> Literal["open", "closed"]:
        self._refuse("see its pg_hba")

    def set_recovery(self, settings: Mapping[str, str], *, standby: bool) -> None:
        self._refuse("write its recovery settings")

    def clear_recovery(self) -> None:
        self._refuse("remove its recovery settings")

    def start_deed(self, name: str, program: str, args: Sequence[str]) -> None:
        self._refuse(f"run {program} beside it")

    def look_at_deed(self, name: str) -> DeedState:
        self._refuse(f"look at {name}")

    def forget_deed(self, name: str) -> None:
        self._refuse(f"end {name}")

    def free_disk_bytes(self) -> int:
        self._refuse("see its free disk")

    def _refuse(self, deed: str) -> NoReturn:
        raise Refused(
            f"expected a way to the host of {self.colour} to {deed}, found only its address",
            remedy="configure the driver `local` or `docker` for this node",
        )
