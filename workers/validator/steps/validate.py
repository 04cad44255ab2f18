"""The file is one that this kind of migration may carry, on the schema that is live now.

Guarantee: the file parses, holds nothing that is forbidden, names what exists on the active server,
           and needs no more than the job's kind; how a safe file is cut into transactions is known
Repeats:   reads only; the same file over the same schema gets the same report
Undo:      nothing to undo: nothing was changed
Fails with Refused   the file has errors: the first is named with its place and remedy
           Transient the active server cannot be asked for its schema
Source:    shared/sql/validate.py; docs/rules/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from shared.adapters.schema.catalog_reader import read_catalog
from shared.domain import facts
from shared.domain.counted import counted
from shared.domain.environment import Colour
from shared.domain.errors import Refused
from shared.domain.migration import Job
from shared.ports import Done, Node
from shared.sql.report import Report
from shared.sql.validate import validate


@dataclass(frozen=True)
class Validate:
    nodes: Mapping[Colour, Node]

    name: ClassVar[str] = "validate"
    only_looks: ClassVar[bool] = True

    def is_done(self, job: Job) -> bool:
        return False

    def do(self, job: Job) -> Done:
        report = self._report(job)
        if report.errors:
            first = report.errors[0]
            more = f" (and {len(report.errors) - 1} more)" if len(report.errors) > 1 else ""
            raise Refused(
                f"{job.file_name}:{first.line}:{first.column}: {first.message}{more}",
                remedy=first.remedy,
                code="validate",
            )
        sentence = f"{counted(len(report.operations), 'operation')}, risk {report.risk_level}"
        return Done(sentence, _facts(report))

    def undo(self, job: Job) -> Done:
        return Done("nothing to undo: the file was only read")

    def _report(self, job: Job) -> Report:
        with self.nodes[job.source].session() as session:
            catalog, version = read_catalog(session)
        return validate(
            job.sql,
            file=job.file_name,
            server_version=version,
            catalog=catalog,
            claimed=job.kind,
        )


def _facts(report: Report) -> dict[str, Any]:
    found = facts.Validation(
        migration_type=report.migration_type,
        risk_level=report.risk_level,
        plan=tuple(facts.PlannedGroup(**asdict(group)) for group in report.plan),
        warnings=tuple(f"{w.line}:{w.column}: {w.message}" for w in report.warnings),
        locks=report.locks,
    )
    return found.model_dump(mode="json")
