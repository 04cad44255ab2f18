"""What a report has to say at which place: one list, from which every form is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from shared.domain.kinds import Risk
from shared.sql.report import Report
from shared.sql.source import Source

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Validated:
    """One file's report with the text that it is about."""

    report: Report
    sql: str
    document: dict[str, Any] = field(default_factory=dict)
    """The report as JSON, with what else is known (trace, blueGreen)."""
    lines: tuple[str, ...] = ()
    """The same for people."""

    @cached_property
    def source(self) -> Source:
        return Source(self.sql)


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing to say at one place."""

    level: Level
    rule: str
    """Id of the rule, or `error-KIND`."""
    message: str
    line: int
    column: int
    remedy: str
    rewrite: str = ""
    allowed: str = ""


def marks(report: Report) -> list[Mark]:
    """Errors and warnings in the order of the file."""
    found = [
        Mark("error", f"error-{e.kind}", e.message, e.line, e.column, e.remedy)
        for e in report.errors
    ]
    found += [
        Mark(
            "note" if w.allowed or w.risk_level is Risk.LOW else "warning",
            w.rule,
            w.message,
            w.line,
            w.column,
            w.remedy,
            w.rewrite,
            w.allowed,
        )
        for w in report.warnings
    ]
    return sorted(found, key=lambda mark: (mark.line, mark.column, mark.level != "error"))


def source_line(each: Validated, mark: Mark) -> str:
    return each.source.line(mark.line)
