"""`bluegreen failover`: let the standby take over from a dead active server.

The work is the health-monitor's (`workers.health_monitor.failover.command`), in a process of its
own: it needs no Redis, no coordinator and no control database.
"""

from __future__ import annotations

import sys

import typer

from producer.configuration import Configuration
from producer.exit_codes import NOT_VALID
from producer.output import Output
from producer.store import settings_of
from shared.adapters.companion import companion
from shared.domain.errors import FAMILIES, Refused
from shared.settings import Settings

MODULE = "workers.health_monitor.failover.command"
LIMIT_S = 150.0


def failover(configuration: Configuration, output: Output, *, accept_loss: bool, yes: bool) -> None:
    """Raises Refused where the active server lives, or commits are missing that nobody accepted."""
    settings = settings_of(configuration)
    _has_a_way_to_the_servers(settings)
    if accept_loss and not yes:
        if not sys.stdin.isatty():
            raise Refused(
                "expected a confirmation that acknowledged commits may be given up, found no "
                "terminal to ask on",
                remedy="add --yes",
            )
        typer.confirm("Give up what the dead server acknowledged and nobody has?", abort=True)
    with companion(MODULE) as process:
        process.say({"settings": settings.model_dump(mode="json"), "accept_loss": accept_loss})
        said = process.hear(limit_s=LIMIT_S)
    if "told" not in said:
        code = NOT_VALID if said["family"] == Refused.family else ""
        raise FAMILIES[said["family"]](said["message"], remedy=said["remedy"], code=code)
    told = said["told"]
    output.document(told)
    output.say(told["sentence"])


def _has_a_way_to_the_servers(settings: Settings) -> None:
    """In the compose stack one service may fence a server, and the command runs there."""
    if settings.keeper is None and any(n.driver == "docker" for n in settings.nodes.values()):
        raise Refused(
            "expected a way to the keeper, which fences the dead server, found none in this "
            "service; nothing was touched",
            remedy="docker compose -f docker-compose.migrations.yml exec health-monitor "
            "bluegreen failover",
        )
