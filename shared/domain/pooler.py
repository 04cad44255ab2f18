"""What PgBouncer says of itself."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PoolerFacts:
    version: tuple[int, int]
    """`(1, 24)`."""
    pool_mode: str
    """Of the migrated database: its own, else the default."""
    query_wait_timeout_s: float
    """After it a held client is refused; 0: never."""
    sockets: frozenset[tuple[str, int]] = field(default_factory=frozenset)
    """Address and port of the pooler's own end of each connection to a server."""
    clients: int = 0
    max_clients: int = 0
    waiting: int = 0
    """Clients that wait for a server connection now."""
