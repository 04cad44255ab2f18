"""Where everything is, read once per process and passed on as one frozen value.

The file `stack.json` in the state directory (embedded) or a mounted file (compose) holds it;
`BLUEGREEN_STATE_DIR` or `BLUEGREEN_CONFIG` names it. Secrets are never in it: it names files.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from shared.domain.environment import Colour
from shared.domain.errors import Refused
from shared.domain.kinds import Strategy
from shared.domain.retention_limits import LEAST_JOB_DAYS, MOST_DAYS
from shared.monitor_settings import MonitorSettings


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Address(_Frozen):
    host: str
    port: int


class NodeSettings(_Frozen):
    """One PostgreSQL server of the pair."""

    colour: Colour
    driver: Literal["local", "docker", "remote"]
    host: str
    port: int
    cluster_name: str
    """Checked after connecting: a port may have been taken by another server."""
    socket_dir: Path | None = None
    """Unix socket directory; the direct door's symlink points into it."""
    data_dir: Path | None = None
    conf_dir: Path | None = None
    """postgresql.conf, pg_hba.conf and recovery.conf of this node, outside the data directory."""
    bin_dir: Path | None = None
    run_as: str | None = None
    """Unprivileged user that owns the server's files, when workers run as root."""
    administrator: str = "postgres"
    is_read_by_other: bool = True
    """Whether the other server reaches this one: without that there is no way back from here."""
    for_other: Address | None = None
    """Where the other server finds this one; None: at `host` and `port`, as everybody does."""
    ca_file: Path | None = None
    """Where the *servers* find the authority of this node's TLS certificate: the other server reads
    from this one only over TLS, and checks its name. Our own processes are told by libpq's
    PGSSLMODE and PGSSLROOTCERT."""


class KeeperSettings(_Frozen):
    """The one service that reaches the container engine (driver `docker`)."""

    socket: Path


class ServerSettings(_Frozen):
    """A PostgreSQL server that is not migrated: the control database, the scratch server."""

    host: str
    port: int
    database: str
    user: str
    own_roles: bool = False
    """Whether each agent logs in as its own role (CONTROL_ROLES), with the grants it needs; `user`
    is then the owner, for whoever installs the schema. Otherwise all log in as `user`."""


class PoolerSettings(_Frozen):
    host: str
    port: int
    admin_user: str = "bg_pooler_admin"
    route_file: Path
    """The database line of PgBouncer, included by its ini; rewritten at each cutover."""


class DoorSettings(_Frozen):
    host: str
    pooled_port: int
    direct_port: int
    direct_link: Path
    """Symlink that nginx resolves at each connect; points at the active server's socket."""
    access_log: Path | None = None
    """nginx's, where the health-monitor can read it: one line a connection, in the form of
    shared/adapters/embedded/doors_conf.py."""


class RedisSettings(_Frozen):
    host: str
    port: int
    database: int = 0
    user: str | None = None
    prefix: str = "bluegreen:"
    ca_file: Path | None = None
    """Certificate authority of its TLS certificate, whose name is checked; None: no TLS."""
    sentinels: tuple[Annotated[str, Field(pattern=r"^[^:/@]+:\d+$")], ...] = ()
    """`host:port` of each Sentinel; with any, they say where Redis is, and `host` only names it."""
    master: str = "bluegreen"
    """Name of the group of servers at the Sentinels."""


class FlowerSettings(_Frozen):
    host: str
    port: int


class AlertSettings(_Frozen):
    urls: tuple[str, ...] = ()
    """Apprise URLs (webhook, mail, chat)."""
    metrics_port: int | None = None
    """Port of the Prometheus endpoint; None: only the file `metrics.prom`."""
    metrics_address: str = "127.0.0.1"
    metrics_certificate: Path | None = None
    metrics_key: Path | None = None
    """With both the endpoint speaks TLS."""


class BackupSettings(_Frozen):
    """How rollback points are kept in `Settings.backup_dir`."""

    recipients: tuple[str, ...] = ()
    """age public keys, none or at least two: one lost key must not be the end of every point. With
    them no plain text of a dump ever reaches the disk."""
    identity_file: Path | None = None
    """age identity of one who restores; the backup agent needs none (docs/rollback-points.md)."""
    key_dir: Path | None = None
    """Where a point's own key is until the point is verified; None: `.keys` of the backup
    directory. A directory in memory keeps it apart from what it opens."""
    retention_days: Annotated[float, Field(gt=0)] = 7.0
    compression_level: Annotated[int, Field(ge=1, le=19)] = 1
    """Of zstd: 1 takes less than half the processor time of 3 and stores about as much."""
    bin_dir: Path | None = None
    """Where pg_dump and psql are; None: those of the dumped node, else of the PATH."""

    @field_validator("recipients")
    @classmethod
    def _none_or_two(cls, recipients: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(recipients)) == 1:
            raise ValueError("expected no recipients or at least two different ones, found one")
        return recipients


class RetentionSettings(_Frozen):
    """How long records stay in the control database (docs/retention.md)."""

    job_days: Annotated[float, Field(ge=LEAST_JOB_DAYS, le=MOST_DAYS)] = 90.0
    """From the end of a job on: its details, and what is only of use beside them. The row of the
    job, what it proved, and the audit stay for good."""


class Settings(_Frozen):
    state_dir: Path
    database: str
    """The database that is migrated."""
    application_role: str
    exempt_roles: tuple[str, ...] = ()
    """Login roles that the fence leaves alone, besides ours."""
    exempt_applications: tuple[str, ...] = ()
    """application_name of sessions that may come past the doors (monitoring). The fence ends them
    like all others; this only says that nobody expects to be led to the other side."""
    nodes: Mapping[Colour, NodeSettings]
    control: ServerSettings
    scratch: ServerSettings | None = None
    """Where rollback points are proven by restoring them, by a superuser; None: on the control
    server."""
    redis: RedisSettings
    pooler: PoolerSettings
    further_poolers: tuple[PoolerSettings, ...] = ()
    """More proxies that clients use, each with a route file of its own."""
    doors: DoorSettings
    flower: FlowerSettings | None = None
    secrets_dir: Path
    """One file per role or service, mode 0600; the file's name is the role's."""
    backup_dir: Path
    backup: BackupSettings = Field(default_factory=BackupSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    migration_role: str | None = None
    """Role that runs the file; None: the owner of what it touches (docs/adr/0003)."""
    alerts: AlertSettings = Field(default_factory=AlertSettings)
    keeper: KeeperSettings | None = None
    monitor: MonitorSettings = Field(default_factory=MonitorSettings)

    def keeping(self, *, jobs_days: float | None, points_days: float | None) -> Settings:
        """These settings with other limits of retention; None leaves one as it is."""
        retention, backup = self.retention, self.backup
        if jobs_days is not None:
            retention = retention.model_copy(update={"job_days": jobs_days})
        if points_days is not None:
            backup = backup.model_copy(update={"retention_days": points_days})
        return self.model_copy(update={"retention": retention, "backup": backup})

    @property
    def strategy(self) -> Strategy:
        """A fork needs the hosts of both sides: one to promote, the other to be rewound later."""
        return "copy" if any(n.driver == "remote" for n in self.nodes.values()) else "fork"

    def secret(self, name: str) -> str:
        """The secret of that role or service. Raises Refused when its file cannot be read."""
        path = self.secrets_dir / name
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Refused(
                f"expected the secret of {name} in {path}, found {error.strerror}",
                remedy="put the file back, readable by its owner only, or mount it there",
            ) from error


def load(environment: Mapping[str, str]) -> Settings:
    """Read the settings that the environment names.

    Raises Refused when none is named, or the file is missing or not of this shape: a `true` is no
    number there, and "5" is none either.
    """
    path = settings_path(environment)
    try:
        return Settings.model_validate_json(path.read_bytes(), strict=True)
    except OSError as error:
        raise Refused(
            f"expected the stack's settings in {path}, found {error.strerror}",
            remedy="start a stack with `bluegreen up`, or set BLUEGREEN_STATE_DIR",
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise Refused(f"{path}: {place}: {said}", remedy="mend the file") from error


def settings_path(environment: Mapping[str, str]) -> Path:
    """Where the settings are: BLUEGREEN_CONFIG, else `stack.json` of the state directory."""
    if config := environment.get("BLUEGREEN_CONFIG"):
        return Path(config)
    return state_dir(environment) / "stack.json"


def state_dir(environment: Mapping[str, str]) -> Path:
    """The state directory that the environment names; `.bluegreen` here when it names none."""
    return Path(environment.get("BLUEGREEN_STATE_DIR") or ".bluegreen").absolute()
