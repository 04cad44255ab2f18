"""One PostgreSQL server: a connection to it, and what needs its host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from shared.domain.environment import Colour

Row = tuple[Any, ...]


class Session(Protocol):
    """One connection to one PostgreSQL database, in autocommit outside `transaction()`."""

    def execute(self, sql: str, params: Sequence[Any] | None = None) -> int:
        """Run one command; rows touched. Without `params` a `%` in `sql` is only a `%`."""
        ...

    def rows(self, sql: str, params: Sequence[Any] | None = None) -> list[Row]: ...

    def row(self, sql: str, params: Sequence[Any] | None = None) -> Row | None: ...

    def value(self, sql: str, params: Sequence[Any] | None = None) -> Any:
        """First column of the first row, or None when there is no row."""
        ...

    def transaction(self) -> AbstractContextManager[None]: ...

    def script(self, sql: str) -> None:
        """Run several statements as one message: the server goes through all of it, up to a
        COMMIT in it, even when we die meanwhile. An error knows its `position` and how many
        statements `completed`. A message that begins a transaction must end it."""
        ...

    def close(self) -> None: ...

    def cut(self) -> None:
        """From another thread: end the connection at once. A call under way raises Transient,
        which is how a wait for a server that does not answer at all comes to an end."""
        ...


class NodeDriver(Protocol):
    """What needs the host of one server. `local`, `docker`; `remote` refuses with a remedy."""

    def is_running(self) -> bool: ...

    def start(self, *, limit_s: float) -> None:
        """Start and return once it accepts connections or is in recovery. Running: nothing."""
        ...

    def stop(self, *, mode: Literal["fast", "immediate"] = "fast", limit_s: float) -> None: ...

    def reload(self) -> None: ...

    def set_access(self, level: Literal["open", "closed"]) -> None:
        """`closed`: pg_hba rejects everyone but our own roles. Durable, reloaded when running."""
        ...

    def access(self) -> Literal["open", "closed"]:
        """What was set last; `open` when nothing ever was."""
        ...

    def set_recovery(self, settings: Mapping[str, str], *, standby: bool) -> None:
        """Write recovery settings (and standby.signal or recovery.signal) for the next start.

        They live outside the data directory, so that rewind and base backup never carry them over.
        """
        ...

    def clear_recovery(self) -> None:
        """Forget those settings; reloaded when running."""
        ...

    def start_deed(self, name: str, program: str, args: Sequence[str]) -> None:
        """Run `pg_rewind` or `pg_basebackup` for this node's data directory, in the background.

        `args` are those after the target directory, which the driver knows. The server must be
        stopped; its recovery settings are forgotten. A deed of that name that still runs is left
        alone.
        """
        ...

    def look_at_deed(self, name: str) -> DeedState: ...

    def forget_deed(self, name: str) -> None:
        """End it if it runs, and remove its record."""
        ...

    def free_disk_bytes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class HostLoad:
    """What a server takes of its host, and what the host has."""

    cpu_seconds: float
    """Of all its processes since it started, ended ones included."""
    cores: int
    memory_bytes: int
    """Private memory of its processes, and the shared memory once."""
    memory_available_bytes: int
    """Of the whole host, as proc_meminfo(5) estimates it."""
    memory_total_bytes: int


@runtime_checkable
class Measuring(Protocol):
    """A driver that can tell what its server takes of the host."""

    def load(self) -> HostLoad:
        """Raises Transient when the server does not run."""
        ...


@dataclass(frozen=True, slots=True)
class DeedState:
    """A long piece of work in a process of its own."""

    state: Literal["absent", "running", "succeeded", "failed"]
    last_line: str = ""
    progress: float | None = None


class Node(Protocol):
    """One PostgreSQL server: how to talk to it as one agent, and its driver."""

    colour: Colour
    driver: NodeDriver

    def session(
        self,
        *,
        database: str | None = None,
        limit_s: float = 30.0,
        lock_limit_s: float | None = None,
        connect_limit_s: float = 3.0,
        application_name: str = "",
    ) -> AbstractContextManager[Session]:
        """Connect as this agent's role; `limit_s` becomes statement_timeout (0: none).

        Raises Transient when the server cannot be reached, Broken when another server answers
        than the one that is known under this colour (cluster_name is checked after connecting).
        """
        ...

    def replication_conninfo(self, *, database: str | None) -> str:
        """A libpq conninfo with which the other server reads from this one. It names a passfile;
        only for a `remote` node, on whose host no file of ours can lie, it holds the password
        (a subscription that is not a superuser's must have it there)."""
        ...
