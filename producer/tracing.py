"""`--trace`: each file on a throw-away copy of the schema; what that shows beside the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from producer.intake import Intake, told
from shared.adapters.rehearsal.rehearsal import ScratchRehearsalRoom
from shared.adapters.schema.schema_copy import Copies
from shared.adapters.trace.file_trace import FileTrace
from shared.adapters.trace.schema import SchemaRoom
from shared.adapters.trace.throwaway import throw_away_server
from shared.domain.errors import Refused
from shared.domain.kinds import Kind, Risk
from shared.mapping.model import Mapping
from shared.mapping.readiness import Readiness, rehearsed
from shared.mapping.report import sentences
from shared.sql.findings import ErrorKind
from shared.sql.observation import DATA_ERRORS, Traced, disagreements
from shared.sql.parse import read
from shared.sql.report import Error, Report, Warning

DISAGREES = "trace-disagrees"
_KINDS: tuple[tuple[str, ErrorKind], ...] = (
    ("42601", "syntax"),
    ("25", "transaction"),
    ("2D", "transaction"),
    ("55P04", "transaction"),
    ("58P01", "extension"),
)
"""SQLSTATE -> kind; everything else that a server refuses is about what its catalog holds."""


def traced(
    taken: Sequence[Intake], schema_sql: str, server_version: int, claimed: Kind | None
) -> list[Intake]:
    """The same files with what a server of that version did with them.

    Raises Refused when there is no such server here, or the schema cannot be built on it.
    """
    with throw_away_server(server_version) as server:
        room = SchemaRoom(server)
        schema = read(schema_sql)
        readings = [read(item.sql) for item in taken]
        room.prepare(schema, *readings)
        room.build(schema_sql)
        return [
            item if reading.problems or _is_forbidden(item.report) else _traced(room, item, claimed)
            for item, reading in zip(taken, readings, strict=True)
        ]


def _is_forbidden(report: Report) -> bool:
    """What does not belong into a migration is not run either, not even here."""
    return any(error.kind == "forbidden" for error in report.errors)


def _traced(room: SchemaRoom, item: Intake, claimed: Kind | None) -> Intake:
    database = room.fresh()
    observation = FileTrace(room.server, database).run(read(item.sql).statements)
    found = Traced(observation, disagreements(item.report, observation))
    seen = replace(item, report=_corrected(item.report, found), trace=found)
    if item.readiness is None or observation.failed is not None:
        return seen
    ready = _rehearsed(room, item.sql, item.readiness)
    if ready.refusal is None or item.readiness.refusal is not None:
        return replace(seen, readiness=ready)
    # What only the rehearsal could see is told as the rest was before.
    report = told(seen.report, ready, must_be_ready=claimed is Kind.RISKY)
    return replace(seen, report=report, readiness=ready)


def _rehearsed(room: SchemaRoom, sql: str, static: Readiness) -> Readiness:
    """The very rehearsal that the job would begin with, on the throw-away server."""
    server = room.server.server(room.fresh())
    rehearsal = ScratchRehearsalRoom(Copies(server, room.server.binaries.bin_dir))
    try:
        mapping = Mapping.model_validate(rehearsal.rehearse(sql).mapping)
    except Refused as error:
        return rehearsed(static, [], error)
    return rehearsed(static, sentences(mapping), None)


def _corrected(report: Report, trace: Traced) -> Report:
    """A server's refusal makes a file invalid, whatever was said before."""
    observation = trace.observation
    warnings = [
        Warning(
            DISAGREES,
            f"{each.fact}: said {each.said}; the server: {each.seen}",
            each.line,
            1,
            Risk.MEDIUM,
            "trust the server, and report this as a defect of the validator",
        )
        for each in trace.disagreements
    ]
    errors = report.errors
    failed = observation.failed
    if failed is not None and not report.errors and not failed.sqlstate.startswith(DATA_ERRORS):
        errors = (Error(_kind(failed.sqlstate), f"PostgreSQL {observation.server_version}: "
                        f"{failed.error}", failed.line, failed.column,
                        "mend the statement: it fails on a copy of the schema"),)  # fmt: skip
    return replace(
        report, warnings=(*report.warnings, *warnings), errors=errors, is_valid=not errors
    )


def _kind(sqlstate: str) -> ErrorKind:
    return next((kind for begins, kind in _KINDS if sqlstate.startswith(begins)), "catalog")
