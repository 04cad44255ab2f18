"""Configuration of the PostgreSQL servers, outside their data directories.

Base backup and pg_rewind bring the other server's data directory: what belongs to one server must
not lie in it (port, name, who may connect, where it recovers from).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from shared.adapters.embedded.secrets_store import ADMINISTRATOR
from shared.domain.environment import Colour
from shared.domain.objects import AGENT_ROLES, POOLER_ROLE, REPLICATION_ROLES

Access = Literal["open", "closed"]
LOOPBACK = "127.0.0.1/32"


class Places(Protocol):
    """Where a server finds its data, its configuration and its sockets."""

    @property
    def data(self) -> Path: ...

    @property
    def conf(self) -> Path: ...

    @property
    def socket_dir(self) -> Path: ...


@dataclass(frozen=True, slots=True)
class Network:
    """How a server is reached, in the words of pg_hba.conf."""

    transport: Literal["host", "hostssl"] = "host"
    addresses: str = LOOPBACK
    readers: str = ""
    """Whence the other server reads, where that is not one of `addresses`."""
    local_administrator: Literal["scram-sha-256", "peer"] = "scram-sha-256"
    """`peer`: whoever is the server's own user inside its container is asked for no password."""


EMBEDDED = Network()
COMMON: dict[str, str] = {
    "password_encryption": "scram-sha-256",
    "unix_socket_permissions": "0777",
    "max_connections": "120",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "1min",
    "checkpoint_completion_target": "0.9",
    "fsync": "on",
    "jit": "off",
    "log_destination": "jsonlog",
    "logging_collector": "on",
    "log_filename": "postgresql-%a",
    "log_rotation_age": "1d",
    "log_truncate_on_rotation": "on",
    "log_checkpoints": "off",
    "lc_messages": "C",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
PRELOADED = "plpgsql"
"""On a node: a new connection whose first statement meets a trigger would load it then, a tenth of
what its first transaction takes; behind a switch clients wait for exactly those."""
WITH_STATEMENTS = f"pg_stat_statements, {PRELOADED}"
AT_ONCE = "syncfs"
"""What a rewound server asks of its disk at its start. File by file, which is the default, is a
thousand flushes for a thousand files that are on disk already, and commits of the server beside it
wait among them (PostgreSQL manual, "recovery_init_sync_method"; docs/adr/0028)."""
NODE: dict[str, str] = {
    "wal_level": "logical",
    "wal_log_hints": "on",
    "max_wal_senders": "20",
    "max_replication_slots": "20",
    "max_slot_wal_keep_size": "4GB",
    "max_worker_processes": "20",
    "max_logical_replication_workers": "10",
    "hot_standby": "on",
    "wal_retrieve_retry_interval": "200ms",
    "recovery_init_sync_method": AT_ONCE,
    "track_io_timing": "on",
    "shared_preload_libraries": PRELOADED,
}
CONTROL: dict[str, str] = {
    "shared_buffers": "32MB",
    "max_connections": "200",
    "wal_level": "replica",
    "max_wal_size": "256MB",
}


def postgresql_conf(
    layout: Places,
    *,
    port: int,
    cluster_name: str,
    log_directory: Path,
    settings: Mapping[str, str],
    listen: str = "127.0.0.1",
) -> str:
    """`recovery.conf` stands last, so that what the driver writes there wins."""
    own = {
        "data_directory": str(layout.data),
        "hba_file": str(layout.conf / "pg_hba.conf"),
        "ident_file": str(layout.conf / "pg_ident.conf"),
        "listen_addresses": listen,
        "port": str(port),
        "unix_socket_directories": str(layout.socket_dir),
        "cluster_name": cluster_name,
        "log_directory": str(log_directory),
    }
    lines = setting_lines({**COMMON, **settings, **own})
    return lines + f"include = '{layout.conf / 'recovery.conf'}'\n"


def setting_lines(settings: Mapping[str, str]) -> str:
    """One `name = 'value'` a line, quoted as the manual's "Parameter Names and Values" says."""
    quoted = {name: value.replace("'", "''") for name, value in settings.items()}
    return "".join(f"{name} = '{value}'\n" for name, value in quoted.items())


def node_hba(colour: Colour, access: Access, network: Network = EMBEDDED) -> str:
    """Who may connect to a node.

    A physical standby has the same roles and passwords as the server it follows, so that the two
    are told apart here: each lets in only its own replication role.
    """
    agents = ",".join((*AGENT_ROLES.values(), POOLER_ROLE))
    reader, other = REPLICATION_ROLES[colour.value], REPLICATION_ROLES[colour.other.value]
    rest = "scram-sha-256" if access == "open" else "reject"
    host, readers = f"{network.transport:<7}", network.readers or network.addresses
    return "\n".join((
        f"# {access}",
        f"local   all         {ADMINISTRATOR} {network.local_administrator}",
        f"local   all         {agents} scram-sha-256",
        f"{host} all         {ADMINISTRATOR},{agents} {network.addresses} scram-sha-256",
        f"{host} replication {reader} {readers} scram-sha-256",
        f"{host} all         {reader} {readers} scram-sha-256",
        f"host    all         {other} all reject",
        f"local   all         {reader},{other} reject",
        f"local   all         all {rest}",
        f"{host} all         all {network.addresses} {rest}",
        "",
    ))  # fmt: skip


def plain_hba(network: Network = EMBEDDED) -> str:
    """Who may connect to the control database: whoever has a password."""
    return (
        f"local   all postgres {network.local_administrator}\nlocal   all all scram-sha-256\n"
        f"{network.transport:<7} all all {network.addresses} scram-sha-256\n"
    )


def access_of(hba: str) -> Access:
    """What `node_hba` was asked for when it wrote this text."""
    return "closed" if hba.startswith("# closed") else "open"
