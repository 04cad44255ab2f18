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
    longest_wait_s: float = 0.0
    """Of the client that has waited longest."""
    transactions: int = 0
    """Since the pooler started, of the migrated database."""
    transactions_us: int = 0
    """Microseconds that they took, together."""
    waited_us: int = 0
    """Microseconds that clients waited for a server connection, together."""
