"""`bluegreen validate`: files against a schema and a server version.

Needs no queue and no database, but for `--live` (the active side's own catalog) and `--trace` (a
throw-away server on this host).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from producer.configuration import Configuration
from producer.exit_codes import ExitCode
from producer.intake import Intake, all_valid, files_document, look_at, refuse
from producer.marks import Validated
from producer.output import Output
from producer.validate_output import Format, render
from producer.validate_text import readiness_lines, trace_lines
from shared.adapters.migration_file import Unreadable, read_migration
from shared.domain.kinds import Kind
from shared.sql.analysis import build
from shared.sql.catalog import Catalog
from shared.sql.validate import NEWEST


@dataclass(frozen=True, slots=True)
class Against:
    """What the files are held against."""

    claimed: Kind | None
    server_version: int | None
    """None: that of the live server, else the newest."""
    schema: Path | None
    """A `pg_dump -s`, or any file of DDL."""
    form: Format | None = None
    """Print the reports alone, in this form."""
    live: bool = False
    """The schema of the active side, with sizes and traffic."""
    trace: bool = False
    """Run each file on a throw-away copy of the schema, too."""


def validate_files(
    configuration: Configuration, output: Output, files: Sequence[Path], against: Against
) -> ExitCode:
    """Say what each file does and needs; 3 when one has errors."""
    met = _met(configuration, output, against)
    taken = look_at(files, against.claimed, catalog=met.catalog, server_version=met.version)
    if against.trace:
        from producer.tracing import traced

        taken = traced(taken, met.schema_sql(), met.version, against.claimed)
    if against.form is not None:
        found = [
            Validated(item.report, item.sql, item.document(), tuple(more_lines(item)))
            for item in taken
        ]
        print(render(against.form, found, colour=output.on_terminal), flush=True)
        return ExitCode.DONE if all_valid(taken) else ExitCode.REFUSED
    if not output.as_json:
        for line in (line for item in taken for line in report_lines(item)):
            output.say(line)
    if not all_valid(taken):
        return refuse(output, taken)
    output.document(files_document([item.document() for item in taken]))
    return ExitCode.DONE


@dataclass(frozen=True, slots=True)
class _Met:
    """The schema that the files meet."""

    catalog: Catalog | None
    version: int
    schema_sql: Callable[[], str]


def _met(configuration: Configuration, output: Output, against: Against) -> _Met:
    if against.live:
        from producer.live_schema import LiveSchema

        live = LiveSchema.of(configuration)
        catalog, version = live.catalog()
        return _Met(catalog, against.server_version or version, live.dump)
    version = against.server_version or NEWEST
    if against.schema is None:
        return _Met(None, version, str)
    sql = _schema(against.schema)
    catalog, unread = build(sql, version=version)
    for line in unread:
        output.warn(f"{against.schema}:{line}")
    return _Met(catalog, version, lambda: sql)


def _schema(path: Path) -> str:
    """The text of a schema; of an empty file, the schema of an empty database."""
    try:
        return read_migration(path)[1]
    except Unreadable:
        if path.read_bytes().strip():
            raise
        return ""


def report_lines(item: Intake) -> Iterator[str]:
    """A valid file in a few lines; the errors of the others are said as errors."""
    report = item.report
    if not report.is_valid:
        return
    yield f"{report.file}: {report.migration_type.value}, risk {report.risk_level.value}"
    for warning in report.warnings:
        remedy = f"; {warning.remedy}" if warning.remedy else ""
        yield f"  {warning.line}:{warning.column} {warning.message}{remedy}"
    for unseen in report.not_seen:
        yield f"  not seen: {unseen}"
    yield from more_lines(item)


def more_lines(item: Intake) -> Iterator[str]:
    """What is known beside the report."""
    if item.readiness is not None:
        yield from readiness_lines(item.readiness)
    if item.trace is not None:
        yield from trace_lines(item.trace.observation)
