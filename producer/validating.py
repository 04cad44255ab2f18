"""`bluegreen validate`: files against a schema and a server version; no queue, no database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from producer.exit_codes import ExitCode
from producer.intake import Intake, all_valid, files_document, refuse, take_in
from producer.marks import Validated
from producer.output import Output
from producer.validate_output import Format, render
from shared.adapters.migration_file import read_migration
from shared.domain.kinds import Kind
from shared.sql.analysis import build
from shared.sql.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Against:
    """What the files are held against."""

    claimed: Kind | None
    server_version: int
    schema: Path | None
    """A `pg_dump -s`, or any file of DDL."""
    form: Format | None = None
    """Print the reports alone, in this form."""


def validate_files(output: Output, files: Sequence[Path], against: Against) -> ExitCode:
    """Say what each file does and needs; 3 when one has errors."""
    catalog = _catalog(output, against)
    taken = take_in(files, against.claimed, catalog=catalog, server_version=against.server_version)
    if against.form is not None:
        found = [Validated(item.report, item.sql) for item in taken]
        print(render(against.form, found, colour=output.on_terminal), flush=True)
        return ExitCode.DONE if all_valid(taken) else ExitCode.REFUSED
    if not output.as_json:
        for line in (line for item in taken for line in report_lines(item)):
            output.say(line)
    if not all_valid(taken):
        return refuse(output, taken)
    output.document(files_document([item.report.as_json() for item in taken]))
    return ExitCode.DONE


def _catalog(output: Output, against: Against) -> Catalog | None:
    if against.schema is None:
        return None
    _, sql = read_migration(against.schema)
    catalog, unread = build(sql, version=against.server_version)
    for line in unread:
        output.warn(f"{against.schema}:{line}")
    return catalog


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
