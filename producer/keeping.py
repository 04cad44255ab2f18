"""Rollback points for people and machines."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from producer.configuration import Configuration
from producer.confirming import asked_yes
from producer.connections import active_side
from producer.output import Output
from producer.store import open_store, settings_of
from shared.adapters.backup import backups
from shared.domain.counted import counted
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError
from shared.domain.kinds import Kind
from shared.domain.rollback_point import Manifest
from shared.ports import JobRecord


def list_points(configuration: Configuration, output: Output) -> None:
    """A point whose files were deleted by hand is listed as gone, and is no error."""
    settings = settings_of(configuration)
    points = backups.listed(settings)
    output.document(
        {
            "directory": str(settings.backup_dir),
            "points": [point_document(each.point, each.missing) for each in points],
        }
    )
    if output.as_json:
        return
    for each in points:
        output.say(point_line(each.point, each.missing))
    if not points:
        output.say(f"no rollback point in {settings.backup_dir}")


def verify(
    configuration: Configuration, output: Output, point: str, identity: Path | None = None
) -> None:
    """Raises Refused or Broken when the point does not hold what its manifest says."""
    found = backups.verify(settings_of(configuration), point, identity=identity)
    output.say(f"{found.name} is verified: restored elsewhere, {found.rows:,} rows counted")
    output.document(point_document(found, ()))


def restore(
    configuration: Configuration,
    output: Output,
    point: str,
    *,
    on: str | None = None,
    into: str | None = None,
    yes: bool,
    identity: Path | None = None,
) -> None:
    """Raises Refused without a word of confirmation, and what `backups.restore` raises."""
    settings = settings_of(configuration)
    side = Colour(on) if on else active_side(settings)
    if not yes and sys.stdin.isatty():
        found = backups.find(settings, point)
        output.warn(
            f"About to restore {found.name} ({found.scope}, taken {found.taken_at:%Y-%m-%d %H:%M}"
            f" UTC) on {side.value}, into a new database; {found.database} stays as it is."
        )
        yes = asked_yes()
    name = backups.restore(settings, point, on=side, into=into, confirm=yes, identity=identity)
    output.say(f"{point} is restored into the database {name} on {side.value}")
    job = None
    with suppress(MigrationError):  # a restore does not depend on the control database
        job = live_risky_job(open_store(settings).jobs(live_only=True))
    if job is not None:
        output.warn(passing_note(job, name, side))
    output.document({"point": point, "database": name, "on": side.value, "liveJob": job})


def live_risky_job(live: Iterable[JobRecord]) -> str | None:
    """The job at whose end one of the sides is made anew from the other."""
    return next((job.id for job in live if job.kind is Kind.RISKY), None)


def passing_note(job: str, database: str, side: Colour) -> str:
    """A database beside the migrated one is not kept in sync."""
    return (
        f"job {job} is live: {database} stands on {side.value} alone, and is gone when the job "
        f"ends with {side.value} as the standby; restore again then, or copy what you need before"
    )


def prune(
    configuration: Configuration, output: Output, days: float | None, *, dry_run: bool = False
) -> None:
    """Without the control database nothing is known of live jobs, so nothing is deleted."""
    settings = settings_of(configuration)
    live = [record.id for record in open_store(settings).jobs(live_only=True)]
    gone = backups.prune(settings, days=days, live_jobs=live, dry_run=dry_run)
    done = "would be deleted" if dry_run else "deleted"
    for point in gone:
        output.say(f"{point.name} {done}")
    output.say(f"{counted(len(gone), 'rollback point')} {done}")
    names = [point.name for point in gone]
    output.document({"deleted": [] if dry_run else names, "expired": names})


def point_document(point: Manifest, missing: tuple[str, ...]) -> dict[str, Any]:
    return {
        "name": point.name,
        "job": point.job,
        "database": point.database,
        "scope": point.scope,
        "takenAt": point.taken_at.isoformat(),
        "verified": point.verified_at is not None,
        "verifiedAt": point.verified_at.isoformat() if point.verified_at else None,
        "complete": point.complete,
        "unused": point.unused,
        "rows": point.rows,
        "storedBytes": point.stored_bytes,
        "lsn": point.lsn,
        "serverVersion": point.server_version,
        "files": [part.file for part in point.parts],
        "missing": list(missing),
    }


def point_line(point: Manifest, missing: tuple[str, ...]) -> str:
    state = "gone" if missing else "verified" if point.verified_at else "not verified"
    if point.unused:
        state += ", unused"
    return (
        f"{point.name}  {point.scope:<8}  {point.stored_bytes / 1e6:8.1f} MB"
        f"  {point.rows:>12,} rows  {state}"
    )
