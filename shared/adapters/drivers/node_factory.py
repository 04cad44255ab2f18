"""Both servers of the pair as one agent sees them, each with the driver that its settings name."""

from __future__ import annotations

from shared.adapters.drivers.docker_driver import DockerDriver
from shared.adapters.drivers.local_driver import LocalDriver
from shared.adapters.drivers.remote_driver import RemoteDriver
from shared.adapters.postgres import PostgresNode
from shared.domain.environment import Colour
from shared.ports import Node, NodeDriver
from shared.settings import Settings


def make_nodes(settings: Settings, role: str) -> dict[Colour, Node]:
    """`role` is the login of the agent (shared.domain.objects.AGENT_ROLES)."""
    return {
        colour: PostgresNode(settings, colour, role, make_driver(settings, colour))
        for colour in settings.nodes
    }


def make_driver(settings: Settings, colour: Colour) -> NodeDriver:
    """Raises Refused when the settings leave out what that driver needs."""
    match settings.nodes[colour].driver:
        case "local":
            return LocalDriver.of(settings, colour)
        case "docker" if settings.keeper is not None:
            return DockerDriver.of(settings, colour)
        case "docker" | "remote":  # an agent that mounts no socket of the keeper only connects
            return RemoteDriver(colour, settings.nodes[colour])
