"""Both servers of the pair as one agent sees them, each with the driver that its settings name."""

from __future__ import annotations

from shared.adapters.local_driver import LocalDriver
from shared.adapters.postgres import PostgresNode
from shared.domain.environment import Colour
from shared.domain.errors import Refused
from shared.ports import Node, NodeDriver
from shared.settings import Settings


def make_nodes(settings: Settings, role: str) -> dict[Colour, Node]:
    """`role` is the login of the agent (shared.domain.objects.AGENT_ROLES)."""
    return {
        colour: PostgresNode(settings, colour, role, make_driver(settings, colour))
        for colour in settings.nodes
    }


def make_driver(settings: Settings, colour: Colour) -> NodeDriver:
    """Raises Refused for a driver that is not there."""
    kind = settings.nodes[colour].driver
    if kind == "local":
        return LocalDriver.of(settings, colour)
    raise Refused(
        f"expected driver `local` for {colour}, found `{kind}`",
        remedy="run the pair on this host, as `bluegreen up` does",
    )
