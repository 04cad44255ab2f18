"""What every PostgreSQL container of the stack is like inside: where its files are, who connects.

The keeper changes such a container, and what prepares the stack fills it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shared.adapters.embedded.postgres_conf import Network

NETWORK = Network(transport="hostssl", addresses="samenet", local_administrator="peer")
"""`samenet`: the networks of the stack that the container is on, and no other."""


@dataclass(frozen=True, slots=True)
class ServerPlaces:
    """In every PostgreSQL container. `conf` is written by the keeper and read by the server."""

    data: Path = Path("/var/lib/postgresql/data/main")
    conf: Path = Path("/var/lib/postgresql/conf")
    socket_dir: Path = Path("/var/run/postgresql")
    logs: Path = Path("/var/lib/postgresql/data/log")
    other: Path = Path("/var/lib/postgresql/other")
    """The volume of the pair's other server, read-only."""
