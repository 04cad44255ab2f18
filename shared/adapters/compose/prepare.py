"""First one-shot service of the stack: fill the volumes from which every other service reads.

Guarantee   each service finds its settings, secrets, certificate and configuration, and no other's
Repeats     safe, at each `up`: secrets and good certificates stay, configuration is written anew
Fails with  Refused   a setting of `.env` cannot be obeyed; its name is said
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from shared.adapters.compose.certificates import Authority, Pair
from shared.adapters.compose.existing import given_authority
from shared.adapters.compose.inventory import (
    CONTROL_ADMINISTRATOR,
    GRAFANA_UID,
    IDENTITIES,
    MONITORING_IDENTITIES,
    OURS_UID,
    POSTGRES_UID,
    PROMETHEUS_UID,
    REDIS_UID,
    SCRATCH_ADMINISTRATOR,
    Identity,
    vault_secrets,
)
from shared.adapters.compose.programs_conf import (
    pooler_conf,
    proxy_conf,
    redis_conf,
    web_account,
)
from shared.adapters.compose.redis_users import users_acl
from shared.adapters.compose.server_files import follow_blue, server_files
from shared.adapters.compose.stack_settings import (
    FLOWER_PORT,
    Choices,
    settings_for,
)
from shared.adapters.compose.vault import Vault, choices_from, given_secrets
from shared.adapters.doors.direct_door import socket_path
from shared.adapters.embedded.child import write_whole
from shared.adapters.embedded.description import FLOWER_USER
from shared.adapters.embedded.doors_conf import DIRECT_LINK, ROUTE_FILE, userlist
from shared.adapters.embedded.flower_conf import flower_conf
from shared.adapters.embedded.secrets_store import (
    ADMINISTRATOR,
    APPLICATION,
    POOLER_ADMINISTRATOR,
)
from shared.adapters.keeper.server_container import ServerPlaces
from shared.adapters.pooler.route_file import route_text
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError
from shared.domain.objects import POOLER_ROLE, REPLICATION_ROLES

ROOT = Path("/stack")
AUTHORITY_PLACE = "authority"
"""Directory of the authority in the vault."""
SHARED = {
    "flower": OURS_UID,
    "redis": REDIS_UID,
    "prometheus": PROMETHEUS_UID,
    "grafana": GRAFANA_UID,
    "doors": OURS_UID,
    "backups": OURS_UID,
    "logs": OURS_UID,
    "metrics": OURS_UID,
    "keeper-all": 0,
    "keeper-fence": 0,
}
"""Volumes that several services mount, by their owner."""
SERVERS = ("blue", "green", "control", "scratch")
NO_ROOM_BYTES = 64 << 10


def prepare(root: Path, environment: Mapping[str, str]) -> None:
    """Raises Refused when a setting cannot be obeyed."""
    vault = Vault(root / "vault")
    choices = choices_from(environment, vault)
    vault.fill(vault_secrets(), given_secrets(environment, choices))
    authority = Authority(vault.directory / AUTHORITY_PLACE)
    for name, uid in SHARED.items():
        os.chown(root / name, uid, uid)
    trusted = authority.files.certificate.read_text(encoding="utf-8")
    if choices.existing is not None:
        trusted += given_authority(environment)
    for identity in (*IDENTITIES, *MONITORING_IDENTITIES):
        place = root / "own" / identity.service
        _identity(place, identity, vault, choices)
        _write(place / "tls/ca.crt", trusted, identity.uid)
        certify(place, identity, authority, choices)
    for server in SERVERS:
        server_files(root / "conf" / server, server, choices)
        _own(root / "data" / server, POSTGRES_UID, 0o700)
    if (
        choices.existing is None
        and not (root / "data" / Colour.GREEN / ServerPlaces().data.name).exists()
    ):
        follow_blue(root / "conf" / Colour.GREEN, choices)
    _routes(root / "doors", choices)


def _identity(place: Path, identity: Identity, vault: Vault, choices: Choices) -> None:
    for name in ("", "tls", "secrets", "secrets/passfile"):
        _own_directory(place / name, identity.uid)
    for here, there in (identity.vault_names() | _for_copies(identity, choices)).items():
        for name in _logins(here, identity, choices):
            _write(place / "secrets" / name, vault.secret(there), identity.uid, 0o600)
    if identity.control or identity.redis:
        text = settings_for(identity, choices).model_dump_json(indent=1)
        _write(place / "stack.json", text, identity.uid)
    for name, text in _own_files(identity, vault, choices).items():
        _write(place / name, text, identity.uid, 0o600)


def _for_copies(identity: Identity, choices: Choices) -> dict[str, str]:
    """On an existing server lies no file of ours that holds a password: whoever makes subscriptions
    writes it into them, and so must know it."""
    reached = choices.existing.reaches_green_at if choices.existing else None
    copies = reached is not None and identity.service == "replicator"
    return {role: role for role in REPLICATION_ROLES.values()} if copies else {}


def _logins(secret: str, identity: Identity, choices: Choices) -> tuple[str, ...]:
    """Under which names a service finds a secret: that of the role that logs in with it."""
    match secret:
        case _ if secret in (CONTROL_ADMINISTRATOR, SCRATCH_ADMINISTRATOR):
            return (ADMINISTRATOR,)
        case _ if secret == APPLICATION:
            return (choices.application,)
        case _ if secret == ADMINISTRATOR and choices.existing and identity.control:
            return (ADMINISTRATOR, choices.existing.administrator)
    return (secret,)


def certify(
    place: Path, identity: Identity, authority: Authority, choices: Choices, *, anew: bool = False
) -> bool:
    """The certificate of a service that serves over TLS; whether it is a new one."""
    if not identity.names:
        return False
    pair = Pair(place / "tls/server.crt", place / "tls/server.key")
    names = (*identity.names, *_door_names(identity, choices), *_reached_as(identity, choices))
    is_new = authority.issue(pair, names, anew=anew)
    for path in (pair.certificate, pair.key):
        os.chown(path, identity.uid, identity.uid)
    return is_new


def _door_names(identity: Identity, choices: Choices) -> tuple[str, ...]:
    return choices.door_names if "migration-proxy" in identity.names else ()


def _reached_as(identity: Identity, choices: Choices) -> tuple[str, ...]:
    """The name under which an existing server reads from the stack's own one."""
    reached = choices.existing.reaches_green_at if choices.existing else None
    return (reached.host,) if reached and identity.service == "postgres-green" else ()


def _own_files(identity: Identity, vault: Vault, choices: Choices) -> dict[str, str]:
    """The configuration of the program that this service runs."""
    match identity.service:
        case "redis":
            users = users_acl(lambda user: vault.secret(f"redis-{user}"))
            return {"redis.conf": redis_conf(), "users.acl": users}
        case "pooler":
            asks, administrator = (
                (role, vault.secret(role)) for role in (POOLER_ROLE, POOLER_ADMINISTRATOR)
            )
            users = userlist(asks=asks, administrator=administrator)
            return {"pgbouncer.ini": pooler_conf(), "userlist.txt": users}
        case "migration-proxy":
            accounts = web_account(FLOWER_USER, vault.secret("flower"))
            nodes = settings_for(identity, choices).nodes.values()
            return {"nginx.conf": proxy_conf(nodes), "web-accounts": accounts}
        case "flower":
            place = Path("/var/lib/bluegreen/flower")
            secret = vault.secret("flower")
            return {"flowerconfig.py": flower_conf(place, FLOWER_PORT, secret, address="")}
        case "postgres-blue" | "postgres-green":
            (role,) = (name for name in identity.secrets if name.startswith("bg_repl_"))
            return {f"secrets/passfile/{role}": f"*:*:*:{role}:{vault.secret(role)}\n"}
    return {}


def _routes(place: Path, choices: Choices) -> None:
    """Blue at the first start; later the routes are the proxy-agent's."""
    blue = settings_for(IDENTITIES[0], choices).nodes[Colour.BLUE]
    if not (place / ROUTE_FILE).exists():
        _write(place / ROUTE_FILE, route_text(choices.database, blue), OURS_UID)
    link = place / DIRECT_LINK
    if not link.is_symlink():
        link.symlink_to(socket_path(blue))
        os.lchown(link, OURS_UID, OURS_UID)


def _own_directory(path: Path, uid: int) -> None:
    path.mkdir(exist_ok=True)
    _own(path, uid, 0o755 if path.name != "secrets" else 0o700)


def _own(path: Path, uid: int, mode: int) -> None:
    path.chmod(mode)
    os.chown(path, uid, uid)


def _write(path: Path, text: str, uid: int, mode: int = 0o644) -> None:
    write_whole(path, text, mode)
    os.chown(path, uid, uid)


def main() -> None:
    os.umask(0o022)
    try:
        prepare(ROOT, os.environ)
    except MigrationError as error:
        print(f"prepare: {error.message}; {error.remedy}", file=sys.stderr)
        raise SystemExit(2) from error
    except OSError as error:
        full = ", ".join(str(place) for place in _full(ROOT))
        print(f"prepare: expected to write the volumes of the stack, found {error.strerror}"
              f"{f' in {full}' if full else ''}; make room on that volume's disk "
              "(docker-compose.migrations.yml names the volume of each path)",
              file=sys.stderr)  # fmt: skip
        raise SystemExit(2) from error


def _full(root: Path) -> list[Path]:
    """Where a volume has no room left."""
    places = (path for path in (*root.glob("*"), *root.glob("*/*")) if path.is_mount())
    return [path for path in places if shutil.disk_usage(path).free < NO_ROOM_BYTES]


if __name__ == "__main__":
    main()
