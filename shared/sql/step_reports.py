"""What the report has of each statement: its operations, its warnings, and why it needs a type."""

from __future__ import annotations

from shared.sql.analysis import Analysis
from shared.sql.directives import Directives
from shared.sql.effects import Operation, Reason
from shared.sql.need import beside, reasons, risk
from shared.sql.report import Need, OperationReport, Warning
from shared.sql.rules import findings
from shared.sql.rules.rule import Finding, Rule
from shared.sql.step import Step


class StepReports:
    """Of all statements of a file, in its order."""

    __slots__ = ("needs", "operations", "warnings")

    def __init__(self, analysis: Analysis, told: Directives) -> None:
        self.operations: list[OperationReport] = []
        self.warnings: list[Warning] = []
        self.needs: list[Need] = []
        for step in analysis.steps:
            why = reasons(step)
            if why:
                self._need(step, why)
            found = findings(step)
            for rule, finding in found:
                self.warnings.append(_warning(step, rule, finding, told))
            operations = step.operations
            if len(operations) == 1:
                self.operations.append(_operation(step, operations[0], found, why))
                continue
            for operation in operations:
                of_it = [each for each in found if each[1].operation is operation]
                self.operations.append(_operation(step, operation, of_it, why))

    def _need(self, step: Step, why: list[Reason]) -> None:
        statement, about = step.statement, beside(step)
        line, column, words = statement.line, statement.column, statement.text
        for kind, text, remedy in why:
            self.needs.append(Need(kind, text + about, line, column, words, remedy))


def _warning(step: Step, rule: Rule, finding: Finding, told: Directives) -> Warning:
    statement, message = step.statement, finding.message
    return Warning(
        rule.id,
        message + beside(step) if step.loads and finding.operation.scans else message,
        statement.line,
        statement.column,
        rule.risk,
        rule.remedy,
        finding.rewrite,
        _allowed(told, rule.id, statement.index) if told.all else "",
    )


def _allowed(told: Directives, rule: str, statement: int) -> str:
    """The author's reason for accepting the rule here; empty when there is none."""
    for each in told.allowed:
        if each.rule == rule and each.statement in (None, statement):
            return each.reason
    return ""


def _operation(
    step: Step, operation: Operation, found: list[tuple[Rule, Finding]], why: list[Reason]
) -> OperationReport:
    """`found`: what the rules find in the operation; `why`: why its statement needs more than
    `safe`."""
    rules: tuple[str, ...] = ()
    rewrite = ""
    for rule, finding in found:
        rules += (rule.id,)
        rewrite = rewrite or finding.rewrite
    advice = why[0].remedy if why else ""
    if found:
        advice = found[0][0].remedy
    statement, locks, grows = step.statement, operation.locks, bool(operation.scans)
    return OperationReport(
        operation.type,
        statement.text,
        risk(step, operation),
        statement.line,
        statement.column,
        tuple(operation.tables),
        max(locks.values()).wire if locks else None,
        bool(operation.rewrites),
        grows,
        grows and bool(step.blocked_reads),
        grows and bool(step.blocked_writes),
        bool(operation.destroys),
        operation.extensions,
        rules,
        advice,
        rewrite,
    )
