"""The file is one that this kind of migration may carry, on the version of the active server.

Guarantee: the file parses, holds nothing that is forbidden, and needs no more than the job's kind.
Repeats:   reads only; the same file gets the same report.
Undo:      nothing to undo: nothing was changed.
Fails with Refused   the file has errors: the first is named with its place and remedy
           Transient the active server cannot be asked for its version
Source:    shared/sql/validate.py; docs/rules/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

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

    def is_done(self, job: Job) -> bool:
        return self._report(job).is_valid

    def do(self, job: Job) -> Done:
        report = self._report(job)
        if report.errors:
            first = report.errors[0]
            more = f" (and {len(report.errors) - 1} more)" if len(report.errors) > 1 else ""
            raise Refused(
                f"{job.file_name}:{first.line}:{first.column}: {first.message}{more}",
                remedy=first.remedy,
            )
        return Done(f"{len(report.operations)} operations, risk {report.risk_level}")

    def undo(self, job: Job) -> Done:
        return Done("nothing to undo: the file was only read")

    def _report(self, job: Job) -> Report:
        with self.nodes[job.source].session() as session:
            version = int(session.value("SHOW server_version_num")) // 10_000
        return validate(job.sql, file=job.file_name, server_version=version, claimed=job.kind)
