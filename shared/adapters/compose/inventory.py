"""Who there is in the compose stack, and what each may know: the one table of identities.

A service gets a volume of its own at `OWN`, read-only: its settings, its secrets, the authority's
certificate, and, where it serves, a certificate and the configuration of its program. Nobody holds
the secret of another; the vault, which holds all, is mounted by the two one-shot services only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from shared.adapters.embedded.secrets_store import (
    ADMINISTRATOR,
    APPLICATION,
    CONTROL_ROLE,
    POOLER_ADMINISTRATOR,
)
from shared.domain.objects import AGENT_ROLES, POOLER_ROLE, REPLICATION_ROLES

OWN = Path("/etc/bluegreen")
"""Where a service finds what is its own."""
SECRETS = OWN / "secrets"
AUTHORITY = OWN / "tls/ca.crt"
STATE = Path("/var/lib/bluegreen")
METRICS = STATE / "metrics"
"""Where the health-monitor writes `metrics.prom`, the one thing it keeps in files."""
DOORS = STATE / "doors"
"""The routes of both doors: written by the proxy-agent, read by pooler and proxy."""
BACKUPS = Path("/var/lib/postgresql/backups")
KEEPER_ALL, KEEPER_FENCE = Path("/run/keeper/all"), Path("/run/keeper/fence")
"""Directories of the keeper's sockets: whoever mounts one may give those orders."""

OURS_UID, POSTGRES_UID, REDIS_UID = 10001, 999, 999
"""Of our image; of the public images `postgres` and `redis`."""
PROMETHEUS_UID, GRAFANA_UID = 65534, 472
"""As docker-compose.migrations.yml runs those images."""
CONTROL_ADMINISTRATOR = "postgres-control"
"""Secret of the administrator of the control server, whose login is `postgres` as well."""
SCRATCH_ADMINISTRATOR = "postgres-scratch"
"""The same of the scratch server."""
SCRATCH_ROLE = "bg_scratch"
"""A superuser there, and of nothing else: a rollback point is proven by restoring it, extensions,
owners and all."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One service: its user, its secrets (name there -> name in the vault), its host names."""

    service: str
    uid: int = OURS_UID
    secrets: tuple[str, ...] = ()
    control: str = ""
    """Login at the control database; its secret is in the vault under this name."""
    redis: str = ""
    """User of Redis."""
    names: tuple[str, ...] = ()
    """Hosts that its certificate is for; none: it serves nobody over TLS."""

    def vault_names(self) -> dict[str, str]:
        """The secret's file name here -> its name in the vault."""
        found = {name: name for name in self.secrets}
        if self.control:
            found[self.control] = self.control
        if self.redis:
            found["redis"] = f"redis-{self.redis}"
        return found


def control_login(agent: str) -> str:
    """The login of one agent at the control database."""
    return f"{CONTROL_ROLE}_{agent.replace('-', '_')}"


def _agent(agent: str, *secrets: str, service: str = "") -> Identity:
    return Identity(service or agent, secrets=secrets, control=control_login(agent), redis=agent)


DOOR_NAMES = ("migration-proxy", "localhost", "127.0.0.1")
"""The doors pass TLS through: what ends it must carry their names too."""
AGENT_IDENTITIES = (
    _agent(
        "coordinator",
        ADMINISTRATOR,
        APPLICATION,
        POOLER_ADMINISTRATOR,
        service="migration-controller",
    ),
    _agent("validator", AGENT_ROLES["validator"]),
    _agent("backup", AGENT_ROLES["backup"], SCRATCH_ROLE),
    _agent("replicator", AGENT_ROLES["replicator"], POOLER_ADMINISTRATOR),
    _agent("proxy-agent", AGENT_ROLES["proxy-agent"], APPLICATION, POOLER_ADMINISTRATOR),
    replace(
        _agent("health-monitor", AGENT_ROLES["health-monitor"], POOLER_ADMINISTRATOR),
        names=("health-monitor", "localhost"),  # Prometheus reads its metrics over TLS
    ),
)
IDENTITIES = (
    *AGENT_IDENTITIES,
    Identity("postgres-blue", POSTGRES_UID, (ADMINISTRATOR, REPLICATION_ROLES["green"]),
             names=("postgres-blue", *DOOR_NAMES)),
    Identity("postgres-green", POSTGRES_UID, (ADMINISTRATOR, REPLICATION_ROLES["blue"]),
             names=("postgres-green", *DOOR_NAMES)),
    Identity("postgres-control", POSTGRES_UID, (CONTROL_ADMINISTRATOR,),
             names=("postgres-control", "localhost")),
    Identity("postgres-scratch", POSTGRES_UID, (SCRATCH_ADMINISTRATOR,),
             names=("postgres-scratch", "localhost")),
    Identity("redis", REDIS_UID, names=("redis", "localhost")),
    Identity("pooler", names=("pooler", *DOOR_NAMES)),
    Identity("migration-proxy", names=DOOR_NAMES, control=control_login("proxy-agent"),
             redis="proxy-agent",
             secrets=(AGENT_ROLES["proxy-agent"], APPLICATION, POOLER_ADMINISTRATOR)),
    Identity("flower", secrets=("flower",), redis="flower"),
)  # fmt: skip
MONITORING_IDENTITIES = (
    Identity("prometheus", PROMETHEUS_UID),
    Identity("grafana", GRAFANA_UID, ("grafana",), names=("grafana", *DOOR_NAMES)),
)
"""Of the profile `monitoring`: their volumes are filled, whether they run or not."""
NODE_ROLES = (ADMINISTRATOR, APPLICATION, *AGENT_ROLES.values(), *REPLICATION_ROLES.values(),
              POOLER_ROLE)  # fmt: skip
REDIS_USERS = (*(identity.redis for identity in AGENT_IDENTITIES), "flower")
CONTROL_LOGINS = {identity.redis: identity.control for identity in AGENT_IDENTITIES}
"""Login at the control database by agent."""
CONTROL_RIGHTS = {**CONTROL_LOGINS, "producer": CONTROL_LOGINS["coordinator"]}
"""Login by whose rights it gets. The command line runs where the coordinator does, as its user:
a login of its own would be another file of that user, and keep nothing from it."""


def vault_secrets() -> Sequence[str]:
    """Every secret of the stack."""
    return (
        *NODE_ROLES, POOLER_ADMINISTRATOR, CONTROL_ROLE, CONTROL_ADMINISTRATOR,
        SCRATCH_ROLE, SCRATCH_ADMINISTRATOR,
        "flower", "grafana", *CONTROL_LOGINS.values(), *(f"redis-{user}" for user in REDIS_USERS),
    )  # fmt: skip
