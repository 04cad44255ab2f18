"""Rollback points for the backup agent (the port) and for `bluegreen backups` (functions)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.adapters.backup import scratch
from shared.adapters.backup.backup_deed import Order, end, forget_ended, is_begun, start_or_look
from shared.adapters.backup.point_files import PointFiles
from shared.adapters.backup.point_keys import can_read, forget_keys_but, keys_of
from shared.adapters.backup.point_work import (
    DATA_LIMIT_S,
    TooLongError,
    check_files,
    dump_data_part,
    stop_after,
    take_schema_part,
    verify_point,
)
from shared.adapters.backup.scratch import create_database, drop_scratch, load
from shared.adapters.dump.pg_dump import Server, program
from shared.adapters.postgres import connect
from shared.domain.environment import Colour
from shared.domain.errors import Broken, MigrationError, Refused
from shared.domain.kinds import BackupScope
from shared.domain.migration import Job
from shared.domain.retention import expendable
from shared.domain.rollback_point import Manifest
from shared.ports import DeedState
from shared.settings import Settings


@dataclass(frozen=True)
class BackupDirectory:
    """The RollbackPoints port over `Settings.backup_dir`."""

    settings: Settings
    at_once_s: float = 2.0
    """A dump that is through within it needs no deed, which takes about a second to begin."""
    at_once_bytes: int = 8 << 20
    """Of SQL text: so much is restored within about a second, without a deed."""

    @property
    def _files(self) -> PointFiles:
        return PointFiles(self.settings.backup_dir)

    def of_job(self, job: str) -> Manifest | None:
        return self._files.of_job(job)

    def path(self, point: Manifest) -> str:
        part = point.part("schema")
        return str(self.settings.backup_dir / (part.file if part is not None else point.name))

    def take_schema(self, job: Job, scope: BackupScope) -> Manifest:
        return take_schema_part(self.settings, job, scope)

    def dump_data(self, point: Manifest, tables: Sequence[str]) -> DeedState:
        order = Order(kind="dump", point=point.name, tables=tuple(tables), settings=self.settings)
        if is_begun(order) or self.at_once_s <= 0:
            return start_or_look(order)
        try:
            dumped = dump_data_part(self.settings, point, tables, stop_after(self.at_once_s))
        except TooLongError:
            return start_or_look(order)
        return DeedState("succeeded", f"{dumped.rows} rows dumped", 1.0)

    def verify(self, point: Manifest) -> DeedState:
        order = Order(kind="verify", point=point.name, settings=self.settings)
        if is_begun(order) or point.plain_bytes > self.at_once_bytes:
            return start_or_look(order)
        verified = verify_point(self.settings, point, _listen_to_nothing)
        return DeedState("succeeded", f"{verified.rows} rows restored and counted", 1.0)

    def discard_data(self, job: str) -> None:
        for point in self._of(job):
            end(self.settings, point.name, "dump")
            part = point.part("data")
            if part is not None:
                self._files.save(point.without_data())
                (self.settings.backup_dir / part.file).unlink(missing_ok=True)

    def discard_scratch(self, job: str) -> None:
        for point in self._of(job):
            end(self.settings, point.name, "verify")
        drop_scratch(self.settings, job)

    def mark_unused(self, job: str) -> None:
        for point in self._of(job):
            self._files.save(point.model_copy(update={"unused": True}))

    def _of(self, job: str) -> list[Manifest]:
        return [point for point in self._files.all() if point.job == job]


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
        return verify_point(settings, found, _listen_to_nothing, identity=identity)
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


def _listen_to_nothing(_progress: float | None, _sentence: str) -> None: ...
