"""Rollback points for `bluegreen backups` and for the daily round."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.adapters.backup import scratch
from shared.adapters.backup.backup_deed import forget_ended
from shared.adapters.backup.point_files import PointFiles
from shared.adapters.backup.point_keys import can_read, forget_keys_but, keys_of
from shared.adapters.backup.point_work import (
    DATA_LIMIT_S,
    check_files,
    unheard,
    verify_point,
)
from shared.adapters.backup.scratch import create_database, load
from shared.adapters.dump.pg_dump import Server, program
from shared.adapters.postgres import connect
from shared.domain.environment import Colour
from shared.domain.errors import Broken, MigrationError, Refused
from shared.domain.retention import expendable
from shared.domain.rollback_point import Manifest
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class ListedPoint:
    point: Manifest
    missing: tuple[str, ...]
    """Files that were deleted or cut by hand."""


def listed(settings: Settings) -> list[ListedPoint]:
    """Every point, newest first."""
    files = PointFiles(settings.backup_dir)
    return [ListedPoint(point, tuple(files.missing(point))) for point in reversed(files.all())]


def find(settings: Settings, point: str) -> Manifest:
    """The point of that name, or of the path of a file of it. Raises Refused when it is gone."""
    return PointFiles(settings.backup_dir).find(point)


def verify(settings: Settings, point: str, *, identity: Path | None = None) -> Manifest:
    """Restore the point (its name, or the path of one of its files) elsewhere and count, now.

    Raises what `verify_point` raises; a point that is found broken does not count any more.
    """
    files = PointFiles(settings.backup_dir)
    found = files.find(point)
    try:
        return verify_point(settings, found, unheard, identity=identity)
    except Broken:
        files.save(found.model_copy(update={"verified_at": None}))
        raise


def verify_again(settings: Settings) -> list[tuple[Manifest, MigrationError | None]]:
    """What the daily round asks of every point that was verified: is it still what it was?

    Its bytes are read and compared; the newest of each database is restored and counted again
    where this host can read it. With each point what is wrong with it, or None.
    """
    points = [
        each.point for each in listed(settings) if each.point.verified_at and not each.missing
    ]
    newest = {point.database: point.name for point in reversed(points)}
    return [
        (point, _found_wrong(settings, point, restores=newest[point.database] == point.name))
        for point in points
    ]


def _found_wrong(settings: Settings, point: Manifest, *, restores: bool) -> MigrationError | None:
    """Broken: the point is damaged. Another error: it could not be looked at."""
    try:
        if restores and can_read(settings, point):
            verify(settings, point.name)
        else:
            check_files(settings, point)
    except Broken as error:
        PointFiles(settings.backup_dir).save(point.model_copy(update={"verified_at": None}))
        return error
    except MigrationError as error:
        return error
    return None


def restore(
    settings: Settings,
    point: str,
    *,
    on: Colour,
    into: str | None = None,
    confirm: bool,
    identity: Path | None = None,
) -> str:
    """Restore the point into a new database on that side; the name of that database.

    Nothing that exists is overwritten: the database must not be there. Raises Refused without
    `confirm`, for an incomplete point, and for a name that is taken; Broken for a damaged file.
    """
    files = PointFiles(settings.backup_dir)
    found = files.find(point)
    missing = files.missing(found)
    if missing or not found.complete:
        what = ", ".join(missing) or "its data part"
        raise Refused(f"the rollback point {found.name} is not whole: {what} is missing")
    name = into or f"{found.database}_restored_{datetime.now(UTC):%Y%m%d_%H%M%S}"
    if not confirm:
        raise Refused(
            f"restoring {found.name} makes the database {name} on {on}",
            remedy="confirm it with `--yes`",
        )
    check_files(settings, found)
    _create(settings, found, on, name)
    psql = program("psql", settings, on)
    for part in found.parts:
        load(
            psql,
            _administrator(settings, on, name),
            settings.backup_dir / part.file,
            keys=keys_of(settings, found, identity),
            limit_s=DATA_LIMIT_S,
        )
    return name


def prune(
    settings: Settings,
    *,
    days: float | None = None,
    now: datetime | None = None,
    live_jobs: Collection[str] = (),
    dry_run: bool = False,
) -> list[Manifest]:
    """Delete the points that are older than `days`, never the newest verified one, and what is left
    of points that somebody deleted by hand. The points deleted here, oldest first; with `dry_run`
    those that would be, and nothing is."""
    files = PointFiles(settings.backup_dir)
    now = now or datetime.now(UTC)
    days = settings.backup.retention_days if days is None else days
    points = files.all()
    gone = [point for point in points if files.missing(point)]
    whole = [point for point in points if point not in gone]
    old = expendable(whole, now=now, days=days, live_jobs=live_jobs)
    if dry_run:
        return old
    remains = [point for point in gone if point.taken_at < now - timedelta(days=days)]
    for point in [*old, *(point for point in remains if point.job not in live_jobs)]:
        files.delete(point)
    forget_keys_but(settings, {point.name for point in files.all() if not point.unused})
    forget_ended(settings)
    return old


def sweep_scratch(settings: Settings) -> None:
    """Drop the scratch databases that verifications have done with."""
    scratch.sweep(settings)


def _create(settings: Settings, point: Manifest, on: Colour, name: str) -> None:
    server = _administrator(settings, on, "postgres")
    with connect(
        host=server.host,
        port=server.port,
        database=server.database,
        user=server.user,
        password=server.password,
        limit_s=120,
        application_name="bluegreen/restore",
    ) as session:
        if session.value("SELECT true FROM pg_database WHERE datname = %s", [name]):
            raise Refused(
                f"a database {name} is there already, and a restore overwrites nothing",
                remedy="name another one, or drop it",
            )
        session.execute(create_database(name, point))


def _administrator(settings: Settings, on: Colour, database: str) -> Server:
    node = settings.nodes[on]
    return Server(
        node.host, node.port, database, node.administrator, settings.secret(node.administrator)
    )
