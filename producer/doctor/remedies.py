"""What really brings back what the doctor finds: one remedy for each kind of stack and failure."""

from __future__ import annotations

from producer.services import ASK_DOCTOR, SERVICE_DOWN
from shared.adapters.compose.host import UP
from shared.adapters.embedded.ailing import what_helps
from shared.adapters.embedded.layout import Layout
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError
from shared.settings import Settings

RENEW = "`./scripts/migration/renew-certificates.sh` makes and loads new ones"
POOLER, DOOR = "pgbouncer", "nginx"
CHILDREN = {
    "Redis": ("redis",),
    "agents": ("redis",),
    "control database": ("control",),
    "pooled door": (POOLER, DOOR),
    "direct door": (DOOR,),
    "routes": (POOLER,),
    "administrator": (POOLER,),
    **{colour.value: (colour.value,) for colour in Colour},
}
"""By check: the processes of an embedded stack that it needs, the likeliest first."""


def is_embedded(settings: Settings) -> bool:
    return all(node.driver == "local" for node in settings.nodes.values())


def is_compose(settings: Settings) -> bool:
    return any(node.driver == "docker" for node in settings.nodes.values())


def remedy_of(error: MigrationError, check: str, settings: Settings | None) -> str:
    """What to do about that failure of that check."""
    if settings is None or (error.code != SERVICE_DOWN and "pg_hba.conf" not in error.message):
        return error.remedy
    if "pg_hba.conf" in error.message:
        return _hba(error, check, settings)
    if error.remedy != ASK_DOCTOR:
        return error.remedy
    if is_compose(settings):
        return RENEW if "certificate" in error.message else f"{UP} starts what is missing"
    if is_embedded(settings):
        return what_helps(Layout(settings.state_dir), CHILDREN.get(check, ()))
    return "start it where it runs, and see that this host reaches it"


def _hba(error: MigrationError, check: str, settings: Settings) -> str:
    """Of a server of ours the file is known, and so is who reads it again."""
    node = next((node for colour, node in settings.nodes.items() if colour.value == check), None)
    if node is None or node.driver != "local" or node.conf_dir is None:
        return error.remedy
    reload = f"kill -HUP $(head -1 {node.data_dir}/postmaster.pid)"
    return f"mend {node.conf_dir}/pg_hba.conf, then `{reload}`: `up` leaves both as they are"
