"""`bluegreen proxy`: ask the servers and the doors where traffic goes, and bring it to one side.

The work is the proxy-agent's own (`workers.proxy_agent.emergency`), run as a process of its own: it
needs no Redis, no coordinator and no control database. Where the control database does answer, the
live job is asked to roll back, so that it does not go on as if nothing had happened.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Literal

from producer.configuration import Configuration
from producer.exit_codes import NOT_VALID
from producer.output import Output
from producer.person import person
from producer.services import ASK_DOCTOR
from producer.store import open_store, settings_of
from shared.adapters.companion import companion
from shared.domain.errors import FAMILIES, MigrationError, Refused, Transient
from shared.settings import Settings

MODULE = "workers.proxy_agent.emergency"
LIMIT_S = 150.0
"""Longer than a watchdog may take to settle what it was left with."""


def status(configuration: Configuration, output: Output) -> None:
    """Raises Transient when no server or no pooler answers."""
    standing = _ask(settings_of(configuration), "status")
    output.document(standing)
    _say(output, standing)


def switch(
    configuration: Configuration,
    output: Output,
    colour: str,
    max_stall_ms: int,
    *,
    accept_loss: bool,
) -> None:
    """Raises Refused where the way to that side is not open, or would lose writes."""
    settings = settings_of(configuration)
    standing = _ask(
        settings, "switch", to=colour, max_stall_ms=max_stall_ms, accept_loss=accept_loss,
        job=_live_job(settings),
    )  # fmt: skip
    noted = _tell_the_job(settings, output, colour)
    output.document({**standing, "rollbackRequestedOf": noted})
    output.say(f"{colour} serves; every door leads to it")
    if "unreachable" in standing["sides"].values():
        output.warn(
            f"the other side does not answer; run `bluegreen proxy switch {colour}` again when it "
            "does: it is closed then, before anybody writes there"
        )
    _say(output, standing)


def _ask(settings: Settings, what: Literal["status", "switch"], **more: Any) -> dict[str, Any]:
    with companion(MODULE) as process:
        process.say({"settings": settings.model_dump(mode="json"), "do": what, **more})
        said = process.hear(limit_s=LIMIT_S)
    if "standing" not in said:
        kind = FAMILIES[said["family"]]
        code = NOT_VALID if kind is Refused else ""
        remedy = said["remedy"] or (ASK_DOCTOR if issubclass(kind, Transient) else "")
        raise kind(said["message"], remedy=remedy, code=code)
    standing: dict[str, Any] = said["standing"]
    return standing


def _live_job(settings: Settings) -> str | None:
    """None without one, or where the control database does not answer."""
    with suppress(MigrationError):
        for job in open_store(settings).jobs(live_only=True):
            if job.database == settings.database:
                return job.id
    return None


def _tell_the_job(settings: Settings, output: Output, colour: str) -> str | None:
    """The job whose target traffic has left; None without one, or where it cannot be told."""
    try:
        store = open_store(settings)
        for job in store.jobs(live_only=True):
            if job.database == settings.database and job.source == colour:
                store.request(job.id, "rollback", by=person())
                output.say(f"job {job.id} is asked to roll back: its target does not serve now")
                return job.id
    except MigrationError as error:
        output.warn(
            f"the control database was not told ({error.message}); a job in its rollback "
            "window sees it by itself and is undone; of any other, ask `bluegreen rollback JOB`"
        )
    return None


def _say(output: Output, standing: dict[str, Any]) -> None:
    if output.as_json:
        return
    held = ", clients are held" if standing["paused"] else ""
    output.say(f"pooled door: {standing['pooled']}{held}")
    output.say(f"direct door: {standing['direct'] or 'new connections are held'}")
    for side, state in standing["sides"].items():
        output.say(f"{side}: {state}")
