"""The three deeds on a rollback point: write the schema, write the rows, prove both."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from shared.adapters.backup.point_files import PointFiles
from shared.adapters.backup.point_keys import forget_key, keys_of, make_key, recipients_of
from shared.adapters.backup.scratch import digest_of, load, rows_in, scratch, scratch_session
from shared.adapters.dump.dump_source import (
    bytes_of,
    read_facts,
    refuse_silent_loss,
    source_server,
    source_session,
    tables_to_dump,
)
from shared.adapters.dump.dump_text import CopyRows, DefinitionsDigest
from shared.adapters.dump.pg_dump import dump, program, refuse_older
from shared.adapters.dump.sealed import Sealed, check_stored
from shared.domain.errors import Broken
from shared.domain.kinds import BackupScope
from shared.domain.migration import Job
from shared.domain.rollback_point import Manifest, Part, PartKind, part_file, point_name
from shared.settings import Settings

SCHEMA_LIMIT_S = 120.0
DATA_LIMIT_S = 12 * 3600.0
Report = Callable[[float | None, str], None]
"""Told how far a deed is (0 to 1, None: unknown) and the sentence for people."""


def take_schema_part(settings: Settings, job: Job, scope: BackupScope) -> Manifest:
    """Write the definitions of the active side, and the manifest of a new point."""
    colour, backup = job.source, settings.backup
    pg_dump = program("pg_dump", settings, colour)
    with source_session(settings, colour) as session:
        facts = read_facts(session)
        tool = refuse_older(pg_dump, facts.server_version_num)
        refuse_silent_loss(session, scope, None)
    at = datetime.now(UTC)
    name = point_name(job.id, at)
    digest = DefinitionsDigest()
    files = PointFiles(settings.backup_dir)
    files.prepare()
    recipients = make_key(settings, name)
    file = part_file(name, "schema", encrypted=bool(recipients))
    sealed = dump(
        pg_dump,
        source_server(settings, colour),
        ["--schema-only"],
        settings.backup_dir / file,
        recipients=recipients,
        level=backup.compression_level,
        see=[digest.feed],
        limit_s=SCHEMA_LIMIT_S,
    )
    point = Manifest(
        name=name, job=job.id, database=job.database, colour=colour, scope=scope, taken_at=at,
        server_version=facts.server_version, pg_dump_version=tool, lsn=facts.lsn,
        schema_digest=digest.hexdigest(), encoding=facts.encoding, locale=facts.locale,
        roles=facts.roles, parts=(_part("schema", file, sealed, {}),),
    )  # fmt: skip
    files.save(point)
    return point


class TooLongError(Exception):
    """The work does not fit into a look: it is for a deed."""


def stop_after(limit_s: float) -> Report:
    """A report that listens to nothing and raises TooLongError once the time is over."""
    end = time.monotonic() + limit_s

    def report(_progress: float | None, _sentence: str) -> None:
        if time.monotonic() > end:
            raise TooLongError

    return report


def dump_data_part(
    settings: Settings, point: Manifest, tables: Sequence[str], report: Report
) -> Manifest:
    """Write the rows of `tables` (with scope `full`: of all) beside the schema part.

    Progress is bytes of text against the size of the tables on disk: an estimate, never above
    0.99 before the end. What `report` raises ends the dump and leaves no file.
    """
    colour = point.colour
    pg_dump = program("pg_dump", settings, colour)
    with source_session(settings, colour) as session:
        refuse_older(pg_dump, read_facts(session).server_version_num)
        wanted = [] if point.scope == "full" else tables_to_dump(session, tables)
        if point.scope != "full" and not wanted:
            return _schema_is_all(settings, point)
        refuse_silent_loss(session, point.scope, wanted or None)
        size = bytes_of(session, wanted) if wanted else read_facts(session).database_bytes
    rows = CopyRows()
    watch = _Watch(size, report, "dumped")
    recipients = recipients_of(settings, point)
    file = part_file(point.name, "data", encrypted=bool(recipients))
    sealed = dump(
        pg_dump,
        source_server(settings, colour),
        ["--data-only", *(f"--table={table}" for table in wanted)],
        settings.backup_dir / file,
        recipients=recipients,
        level=settings.backup.compression_level,
        see=[rows.feed, watch.feed],
        limit_s=DATA_LIMIT_S,
    )
    dumped = point.with_part(_part("data", file, sealed, rows.rows))
    dumped = dumped.model_copy(update={"tables": tuple(sorted(rows.rows))})
    PointFiles(settings.backup_dir).save(dumped)
    return dumped


def verify_point(
    settings: Settings, point: Manifest, report: Report, *, identity: Path | None = None
) -> Manifest:
    """Decrypt, restore and count the point elsewhere; only then is it `verified`.

    `identity` is a key file given by hand. Raises Broken when what was read is not what was
    written, Refused when a file is gone or no key fits.
    """
    psql = program("psql", settings, point.colour)
    pg_dump = program("pg_dump", settings, point.colour)
    keys = keys_of(settings, point, identity)
    check_files(settings, point)
    watch = _Watch(point.stored_bytes, report, "restored")
    with scratch(settings, point) as place:
        for part in point.parts:
            read = load(
                psql,
                place.administrator if part.kind == "schema" else place.loader,
                settings.backup_dir / part.file,
                keys=keys,
                limit_s=DATA_LIMIT_S,
                see=[watch.feed],
            )
            _same_bytes(part, read)
        report(0.99, "counting what was restored")
        _same_definitions(point, digest_of(pg_dump, place.administrator, limit_s=SCHEMA_LIMIT_S))
        with scratch_session(place.loader) as session:
            for part in point.parts:
                _same_rows(point, part.rows, rows_in(session, sorted(part.rows)))
    verified = point.model_copy(update={"verified_at": datetime.now(UTC)})
    PointFiles(settings.backup_dir).save(verified)
    forget_key(settings, point.name)
    return verified


def check_files(settings: Settings, point: Manifest) -> None:
    """Raises Broken unless every file of the point is as it was written, Refused for one gone."""
    for part in point.parts:
        check_stored(settings.backup_dir / part.file, part.stored_sha256)


def _schema_is_all(settings: Settings, point: Manifest) -> Manifest:
    """The file touches no table that exists: its point needs no rows."""
    smaller = point.model_copy(update={"scope": "schema"})
    PointFiles(settings.backup_dir).save(smaller)
    return smaller


def _part(kind: PartKind, file: str, sealed: Sealed, rows: dict[str, int]) -> Part:
    return Part(
        kind=kind, file=file, rows=rows,
        plain_bytes=sealed.plain_bytes, plain_sha256=sealed.plain_sha256,
        stored_bytes=sealed.stored_bytes, stored_sha256=sealed.stored_sha256,
    )  # fmt: skip


def _same_bytes(part: Part, read: Sealed) -> None:
    if (read.plain_sha256, read.stored_sha256) != (part.plain_sha256, part.stored_sha256):
        raise Broken(
            f"{part.file}: expected SHA-256 {part.stored_sha256[:16]}, found "
            f"{read.stored_sha256[:16]}; the point cannot be used"
        )


def _same_definitions(point: Manifest, found: str) -> None:
    if found != point.schema_digest:
        raise Broken(
            f"{point.name}: expected definitions {point.schema_digest[:16]} after the restore, "
            f"found {found[:16]}; the point does not count"
        )


def _same_rows(point: Manifest, expected: dict[str, int], found: dict[str, int]) -> None:
    for table, rows in expected.items():
        if found[table] != rows:
            raise Broken(
                f"{point.name}: expected {rows} rows of {table} after the restore, found "
                f"{found[table]}; the point does not count"
            )


class _Watch:
    """Tells how far a dump or a restore is, at most twice a second."""

    def __init__(self, expected_bytes: int, report: Report, what: str) -> None:
        self._expected = max(1, expected_bytes)
        self._report = report
        self._what = what
        self._seen = 0
        self._told_at = 0.0

    def feed(self, block: bytes) -> None:
        self._seen += len(block)
        if time.monotonic() - self._told_at >= 0.5:
            self._told_at = time.monotonic()
            done = min(0.99, self._seen / self._expected)
            size = f"{self._seen >> 20} MB of about {self._expected >> 20} MB"
            self._report(done, f"{size} {self._what}")


def unheard(_progress: float | None, _sentence: str) -> None:
    """A report to nobody."""
