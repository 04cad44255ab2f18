"""Files on disk become something that may be run: read, validated, their kind decided.

One problem in one file and none of them is run: half a set of migrations helps nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from producer.exit_codes import NOT_VALID, ExitCode
from producer.output import Output, error_document, error_line
from shared.adapters.migration_file import Unreadable, read_migration
from shared.domain.errors import Refused
from shared.domain.kinds import Kind, Risk
from shared.sql.catalog import Catalog
from shared.sql.observation import Traced
from shared.sql.report import Error, Report, Warning
from shared.sql.validate import NEWEST, validate

if TYPE_CHECKING:
    from shared.mapping.readiness import Readiness

NOT_CARRIED = "not-carried"
"""Id of the finding that blue-green cannot keep a statement in sync."""


@dataclass(frozen=True, slots=True)
class Intake:
    """One file, read and validated."""

    path: Path
    sql: str
    kind: Kind
    """What runs: the claim where there is one, else what the file needs."""
    report: Report
    trace: Traced | None = None
    """What a throw-away server did with it, where one was asked."""
    readiness: Readiness | None = None
    """What a risky migration will do with each of its statements."""

    def document(self) -> dict[str, Any]:
        """The report as JSON, with what else is known."""
        found = self.report.as_json()
        if self.trace is not None:
            found["trace"] = self.trace.as_json()
        if self.readiness is not None:
            found["blueGreen"] = self.readiness.as_json()
        return found


def take_in(
    files: Sequence[Path],
    claimed: Kind | None,
    *,
    catalog: Catalog | None = None,
    server_version: int = NEWEST,
) -> list[Intake]:
    """Read and validate every file. Raises Refused for the first that holds no statements.

    `catalog` is the schema the files meet, where it is known.
    """
    taken = []
    for path in files:
        _, sql = read_migration(path)
        report = validate(
            sql, file=str(path), claimed=claimed, catalog=catalog, server_version=server_version
        )
        if report.is_valid and not report.plan:
            raise Refused(
                f"{path}:1:1: expected SQL statements, found none",
                remedy="write the migration into it, or leave it out",
            )
        item = Intake(path, sql, claimed or report.migration_type, report)
        taken.append(with_readiness(item, catalog, must_be_ready=True))
    return taken


def look_at(
    files: Sequence[Path],
    claimed: Kind | None,
    *,
    catalog: Catalog | None = None,
    server_version: int = NEWEST,
) -> list[Intake]:
    """Validate every file; one that cannot be read, or holds no statement, is answered too."""
    found = []
    for path in files:
        try:
            _, sql = read_migration(path)
        except Unreadable as error:
            report = unread(str(path), error, server_version)
            found.append(Intake(path, "", claimed or Kind.SAFE, report))
            continue
        report = validate(
            sql, file=str(path), claimed=claimed, catalog=catalog, server_version=server_version
        )
        item = Intake(path, sql, claimed or report.migration_type, report)
        found.append(with_readiness(item, catalog, must_be_ready=claimed is Kind.RISKY))
    return found


def with_readiness(item: Intake, catalog: Catalog | None, *, must_be_ready: bool) -> Intake:
    """Of a risky file: say now what would be said after an hour of copying.

    `must_be_ready`: what cannot be carried is an error, because the file is to run as risky.
    """
    if item.kind is not Kind.RISKY or any(e.kind != "type" for e in item.report.errors):
        return item
    from shared.mapping.readiness import readiness

    found = readiness(item.sql, catalog)
    report = told(item.report, found, must_be_ready=must_be_ready)
    return replace(item, report=report, readiness=found)


def told(report: Report, found: Readiness, *, must_be_ready: bool) -> Report:
    """The report with what cannot be carried."""
    refusals = [change for change in found.changes if change.way == "refused"]
    if must_be_ready:
        errors = tuple(
            Error("type", f"as a risky migration: {c.what}", c.line, c.column, c.remedy)
            for c in refusals
        )
        return replace(report, errors=(*report.errors, *errors),
                       is_valid=report.is_valid and not errors)  # fmt: skip
    warnings = tuple(
        Warning(NOT_CARRIED, f"as a risky migration: {c.what}", c.line, c.column, Risk.MEDIUM,
                c.remedy)
        for c in refusals
    )  # fmt: skip
    return replace(report, warnings=(*report.warnings, *warnings))


def unread(file: str, error: Unreadable, server_version: int) -> Report:
    """The report of a file whose bytes are no text of a migration."""
    return Report(
        is_valid=False,
        operations=(),
        warnings=(),
        errors=(Error("syntax", error.what, error.line, error.column, error.remedy),),
        risk_level=Risk.LOW,
        migration_type=Kind.SAFE,
        server_version=server_version,
        file=file,
    )


def all_valid(taken: Sequence[Intake]) -> bool:
    return all(item.report.is_valid for item in taken)


def all_readable(taken: Sequence[Intake]) -> bool:
    """Whether nothing is wrong but claims below the need, which the live schema may yet allow."""
    return all(error.kind == "type" for item in taken for error in item.report.errors)


def refuse(output: Output, taken: Sequence[Intake]) -> ExitCode:
    """Say every problem of every file, one line each: `FILE:LINE:COLUMN: message; remedy`."""
    found = [
        (f"{item.report.file}:{error.line}:{error.column}: {error.message}", error.remedy)
        for item in taken
        for error in item.report.errors
    ]
    for message, remedy in found:
        output.warn(error_line(message, remedy))
    message, remedy = found[0]
    error = error_document(message, code=NOT_VALID, remedy=remedy, exit_code=ExitCode.REFUSED)
    output.document({**files_document([item.document() for item in taken]), **error})
    return ExitCode.REFUSED


def files_document(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """`files` holds every report; of a single file its keys stand at the top too."""
    only = reports[0] if len(reports) == 1 else {}
    return {
        **only,
        "isValid": all(report["isValid"] for report in reports),
        "files": list(reports),
    }
