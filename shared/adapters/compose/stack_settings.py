"""The settings of one service of the compose stack: the same shape as the embedded stack's."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from shared.adapters.compose.inventory import (
    AUTHORITY,
    BACKUPS,
    DOORS,
    KEEPER_ALL,
    KEEPER_FENCE,
    METRICS,
    OWN,
    SCRATCH_ROLE,
    SECRETS,
    STATE,
    Identity,
)
from shared.adapters.embedded.build import CONTROL_DATABASE
from shared.adapters.embedded.doors_conf import DIRECT_LINK, ROUTE_FILE
from shared.adapters.embedded.roles import DATABASE, SERVER_DATABASE
from shared.adapters.embedded.secrets_store import ADMINISTRATOR, APPLICATION
from shared.domain.environment import Colour
from shared.domain.failover import Policy
from shared.monitor_settings import FailoverSettings, MonitorSettings
from shared.settings import (
    Address,
    AlertSettings,
    BackupSettings,
    DoorSettings,
    FlowerSettings,
    KeeperSettings,
    NodeSettings,
    PoolerSettings,
    RedisSettings,
    ServerSettings,
    Settings,
)

SERVER_PORT, REDIS_PORT, POOLED_PORT, DIRECT_PORT, FLOWER_PORT = 5432, 6379, 6432, 6433, 5555
METRICS_PORT = 9187
NODE_SOCKETS = DOORS
"""nginx listens there once per node, and passes on over TCP. So the route of the direct door is one
symlink, as in the embedded stack, and TLS goes through to the server. The proxy-agent sees them:
what connects while the door is held is led on by it."""
SOCKET_NAMES = {"replicator": KEEPER_ALL, "health-monitor": KEEPER_FENCE}


@dataclass(frozen=True, slots=True)
class ExistingDatabase:
    """A server that was there before the stack, and is its active side: the DB_* of `.env`."""

    host: str
    port: int
    administrator: str
    cluster_name: str = ""
    """As that server has it; tells it from another one that answers at its address."""
    reaches_green_at: Address | None = None
    """Where that server finds the stack's own one; None: nowhere, and there are no risky jobs."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What `.env` says of the stack."""

    stack: str
    """Part of the servers' cluster names: tells two stacks apart."""
    database: str = DATABASE
    application: str = APPLICATION
    alert_urls: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    door_names: tuple[str, ...] = field(default=())
    """Further names under which applications reach the doors."""
    failover: Policy = "ask"
    keep_jobs_days: float | None = None
    keep_points_days: float | None = None
    """None: the default of the settings."""
    existing: ExistingDatabase | None = None
    """None: blue is a server of the stack."""


def settings_for(identity: Identity, choices: Choices) -> Settings:
    keeper = SOCKET_NAMES.get(identity.service)
    return Settings(
        state_dir=METRICS if identity.service == "health-monitor" else STATE,
        database=choices.database,
        application_role=choices.application,
        nodes={colour: _node(colour, choices) for colour in Colour},
        control=ServerSettings(
            host="postgres-control", port=SERVER_PORT, database=CONTROL_DATABASE,
            user=identity.control,
        ),
        scratch=ServerSettings(
            host="postgres-scratch", port=SERVER_PORT, database=SERVER_DATABASE, user=SCRATCH_ROLE,
        ),
        redis=RedisSettings(host="redis", port=REDIS_PORT, user=identity.redis, ca_file=AUTHORITY),
        pooler=PoolerSettings(
            host="pooler", port=POOLED_PORT, route_file=DOORS / ROUTE_FILE,
        ),
        doors=DoorSettings(
            host="migration-proxy", pooled_port=POOLED_PORT, direct_port=DIRECT_PORT,
            direct_link=DOORS / DIRECT_LINK,
        ),
        flower=FlowerSettings(host="flower", port=FLOWER_PORT),
        secrets_dir=SECRETS,
        backup_dir=BACKUPS,
        backup=BackupSettings(recipients=choices.recipients),
        alerts=_alerts(identity, choices),
        monitor=MonitorSettings(failover=FailoverSettings(policy=choices.failover)),
        keeper=None if keeper is None else KeeperSettings(socket=keeper / "keeper.sock"),
    ).keeping(jobs_days=choices.keep_jobs_days, points_days=choices.keep_points_days)  # fmt: skip


def _alerts(identity: Identity, choices: Choices) -> AlertSettings:
    """Metrics are served where the monitor runs, over TLS."""
    if identity.service != "health-monitor":
        return AlertSettings(urls=choices.alert_urls)
    return AlertSettings(
        urls=choices.alert_urls, metrics_port=METRICS_PORT, metrics_address="0.0.0.0",
        metrics_certificate=OWN / "tls/server.crt", metrics_key=OWN / "tls/server.key",
    )  # fmt: skip


def _node(colour: Colour, choices: Choices) -> NodeSettings:
    existing = choices.existing
    if existing is not None and colour is Colour.BLUE:
        return NodeSettings(
            colour=colour,
            driver="remote",
            host=existing.host,
            port=existing.port,
            cluster_name=existing.cluster_name,
            socket_dir=NODE_SOCKETS / colour,
            administrator=existing.administrator,
            ca_file=AUTHORITY,
        )
    own = NodeSettings(
        colour=colour,
        driver="docker" if existing is None else "remote",
        host=f"postgres-{colour}",
        port=SERVER_PORT,
        cluster_name=f"bluegreen-{choices.stack}-{colour}",
        socket_dir=NODE_SOCKETS / colour,
        administrator=ADMINISTRATOR,
        ca_file=AUTHORITY,
    )
    if existing is None:
        return own
    reached = existing.reaches_green_at
    return own.model_copy(
        update={
            "is_read_by_other": reached is not None,
            "for_other": reached,
            "ca_file": Path(authority_there(choices.stack)),
        }
    )


def authority_there(stack: str) -> str:
    """The file of our authority in an existing server's data directory, where its processes look
    for a path that does not begin at the root; one for each stack."""
    return f"bluegreen-{stack}.crt"
