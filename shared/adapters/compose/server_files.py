"""Configuration of the stack's PostgreSQL servers, each in a volume of its own.

What the keeper said of `pg_hba.conf` and of recovery stays said.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from shared.adapters.compose.inventory import IDENTITIES
from shared.adapters.compose.programs_conf import server_conf
from shared.adapters.compose.stack_settings import Choices, settings_for
from shared.adapters.drivers.remote_driver import RemoteDriver
from shared.adapters.embedded.child import write_whole
from shared.adapters.embedded.postgres_conf import access_of, node_hba, plain_hba, setting_lines
from shared.adapters.keeper.server_container import NETWORK
from shared.adapters.postgres import PostgresNode
from shared.domain.environment import Colour
from shared.domain.objects import STANDBY_SLOTS
from shared.settings import Settings


def server_files(place: Path, server: str, choices: Choices) -> None:
    """Of one of them, as `choices` want it."""
    is_node = server in tuple(Colour)
    hba, place_of = place / "pg_hba.conf", place / "postgresql.conf"
    if is_node:
        access = access_of(hba.read_text(encoding="utf-8")) if hba.exists() else "open"
        reached = choices.existing.reaches_green_at if choices.existing else None
        network = replace(NETWORK, readers="all") if reached else NETWORK
        text = node_hba(Colour(server), access, network)
    else:
        text = plain_hba(NETWORK)
    write_whole(hba, text)
    write_whole(place_of, server_conf(f"bluegreen-{choices.stack}-{server}", is_node=is_node))
    for name in ("pg_ident.conf", "recovery.conf", "recovery.mode"):
        (place / name).touch(mode=0o644)


def follow_blue(place: Path, choices: Choices) -> None:
    """Green's first start: what makes the copy of blue follow it."""
    follow = {
        "primary_conninfo": first_source(settings_for(IDENTITIES[0], choices)),
        "primary_slot_name": STANDBY_SLOTS[Colour.GREEN],
        "recovery_target_timeline": "latest",
    }
    write_whole(place / "recovery.conf", setting_lines(follow))
    write_whole(place / "recovery.mode", "standby first\n")


def first_source(settings: Settings) -> str:
    """The conninfo with which green copies blue, and then follows it."""
    driver = RemoteDriver(Colour.BLUE, settings.nodes[Colour.BLUE])
    blue = PostgresNode(settings, Colour.BLUE, "", driver)
    return f"{blue.replication_conninfo(database=None)} application_name={Colour.GREEN}"
