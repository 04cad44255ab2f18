"""What preflight knows of the world: facts read once, judged by pure rules."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.domain.environment import Colour
from shared.domain.kinds import Strategy
from shared.domain.pooler import PoolerFacts
from shared.ports import HostLoad


@dataclass(frozen=True, slots=True)
class Slot:
    name: str
    kind: str
    """`physical` or `logical`."""
    is_active: bool
    is_lost: bool = False
    """The WAL that its reader needs was removed."""


@dataclass(frozen=True, slots=True)
class Replica:
    """A row of pg_stat_replication."""

    name: str
    state: str
    sync_state: str
    address: str | None
    port: int | None


@dataclass(frozen=True, slots=True)
class LongTransaction:
    pid: int
    user: str
    age_s: float


@dataclass(frozen=True, slots=True)
class Client:
    """A session of somebody else's over TCP."""

    user: str
    address: str
    port: int
    application: str


@dataclass(frozen=True, slots=True)
class KeptState:
    """Something that a session keeps between two transactions."""

    user: str
    address: str
    port: int
    what: str
    """`LISTEN`, `a session lock` or `a temporary table`."""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    version_num: int
    system_identifier: str
    in_recovery: bool
    settings: dict[str, str] = field(default_factory=dict)
    slots: tuple[Slot, ...] = ()
    replicas: tuple[Replica, ...] = ()
    databases: tuple[str, ...] = ()
    database_bytes: int = 0
    prepared_transactions: int = 0
    long_transactions: tuple[LongTransaction, ...] = ()
    clients: tuple[Client, ...] = ()
    sees_us_at: str = ""
    """Whence our own session comes, in that server's eyes; empty over a Unix socket."""
    session_state: tuple[KeptState, ...] = ()
    background: tuple[str, ...] = ()
    """Kinds of processes that neither PostgreSQL nor replication started."""
    free_disk_bytes: int | None = None
    host: HostLoad | None = None
    """None, both: the driver cannot tell."""
    touched_bytes: int = 0
    """Of the tables that the file locks, their indexes and documents with them."""
    # Of the migrated database; empty on a server in recovery, which has the same.
    without_identity: tuple[str, ...] = ()
    unlogged: tuple[str, ...] = ()
    """Unlogged tables that hold rows."""
    large_objects: int = 0
    replica_triggers: tuple[str, ...] = ()
    """Triggers of the user's marked REPLICA or ALWAYS, as `table.trigger`."""
    writing_event_triggers: tuple[str, ...] = ()
    """Of the user's, enabled, with a function in whose text rows are written."""
    subscriptions: tuple[str, ...] = ()
    publications: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    superusers: tuple[str, ...] = ()
    """Login roles with superuser rights that are neither ours nor the administrator."""


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """Of one side, where green will be copied through SQL."""

    is_prepared: bool = True
    """It has the standing schema; else nothing more was asked."""
    missing: tuple[tuple[str, str], ...] = ()
    """Rights that our roles lack, each with the SQL that gives it."""
    contents: tuple[str, ...] = ()
    """What stands in the target's database besides ours."""
    may_be_emptied: bool = False
    """A job of ours left that, closed."""
    locale: str = ""
    """Encoding and collation of the database."""
    event_triggers: tuple[str, ...] = ()
    is_superuser: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    active: Colour
    servers: dict[Colour, ServerFacts]
    """A server that could not be reached is not in it."""
    pooler: PoolerFacts | None
    application_role: str
    exempt_applications: frozenset[str] = field(default_factory=frozenset, kw_only=True)
    """application_name of those that may come past the doors."""
    door_addresses: frozenset[str] = field(default_factory=frozenset, kw_only=True)
    """Whence the direct door reaches the servers, where that is over TCP."""
    own_addresses: dict[Colour, str] = field(default_factory=dict, kw_only=True)
    """Whence this host sends to each side, in its own eyes; not of those that are not known."""
    remote: tuple[Colour, ...] = field(default=(), kw_only=True)
    """Sides of which only an address is known."""
    copy: dict[Colour, CopyFacts] = field(default_factory=dict, kw_only=True)
    """Empty where green is forked; a side that does not answer is not in it."""
    unread: tuple[Colour, ...] = field(default=(), kw_only=True)
    """Sides that the other server cannot reach."""
    makes_standby: bool = field(default=False, kw_only=True)
    """A standby that is lost is made anew in this job: its host can be reached."""
    stays: frozenset[tuple[str, str, str]] | None = field(default=None, kw_only=True)
    """User, address and application_name of those that were past the doors at an earlier look as
    well; None: there was none."""
    pause_limit_s: float
    """How long clients may be held at the pooler, everything counted."""
    free_backup_bytes: int | None = None
    """Where rollback points are written; None: that is not seen from here."""
    door_answers: bool | None = field(default=None, kw_only=True)
    """Whether a probe through the pooled door came back; None: none was sent."""
    holds_clients: bool = False
    """Clients are held for as long as the file takes: a maintenance that does not refuse them."""

    @property
    def strategy(self) -> Strategy:
        """A fork needs the hosts of both sides: one to promote, the other to be rewound later."""
        return "copy" if self.remote else "fork"

    @property
    def translated(self) -> str:
        """The one address of all that comes from here, doors included, where the network between
        this host and the active side hides their own; empty where it does not."""
        seen, own = self.source.sees_us_at, self.own_addresses.get(self.active, "")
        one_family = (":" in seen) == (":" in own)
        return seen if own and one_family and seen != own else ""

    @property
    def source(self) -> ServerFacts:
        return self.servers[self.active]

    @property
    def target(self) -> ServerFacts | None:
        return self.servers.get(self.active.other)
