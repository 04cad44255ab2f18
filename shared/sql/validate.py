"""Validate one migration file: text in, report out. Pure; the same call serves CLI and worker."""

from __future__ import annotations

from typing import TypeVar

from shared.domain.kinds import Kind, Risk
from shared.sql.analysis import Analysis, analyse
from shared.sql.catalog import Catalog
from shared.sql.collection import no_collection
from shared.sql.directives import Directives, directives
from shared.sql.effects import Operation, Reason
from shared.sql.locks import Lock, gather
from shared.sql.need import beside, reasons, risk
from shared.sql.one_transaction import in_one_transaction
from shared.sql.parse import opened
from shared.sql.plan import plan
from shared.sql.report import Error, Need, OperationReport, Report, Warning
from shared.sql.rules import IDS, findings
from shared.sql.rules.rule import Finding, Rule
from shared.sql.step import Step

OLDEST, NEWEST = 15, 18
"""Major versions of PostgreSQL that are supported."""


def validate(
    sql: str,
    *,
    file: str,
    server_version: int = NEWEST,
    catalog: Catalog | None = None,
    claimed: Kind | None = None,
) -> Report:
    """What the file does, needs, and what is wrong with it. Never raises for what it holds.

    `catalog` is not changed. A claim below the need is an error of kind `type`.
    """
    with no_collection():
        return _validated(
            sql, file=file, server_version=server_version, catalog=catalog, claimed=claimed
        )


def _validated(
    sql: str, *, file: str, server_version: int, catalog: Catalog | None, claimed: Kind | None
) -> Report:
    reading = opened(sql)
    analysis = analyse(reading, version=server_version, catalog=catalog)
    told = directives(sql, reading)
    misplaced = _in_batches(analysis, told)
    needs = _needs(analysis)
    kind = _gravest(Kind, {need.migration_type for need in needs})
    errors = [
        Error(p.kind, p.message, p.place.line, p.place.column, p.remedy) for p in analysis.problems
    ]
    errors += [
        Error("directive", p.message, p.place.line, p.place.column, p.remedy) for p in told.problems
    ]
    if claimed is not None and not claimed.covers(kind):
        errors.append(_claim(claimed, kind, needs))
    errors += misplaced
    errors += _unknown_rules(told)
    errors.sort(key=lambda e: (e.line, e.column))
    operations: list[OperationReport] = []
    warnings: list[Warning] = []
    for step in analysis.steps:
        found, why = findings(step), reasons(step)
        for operation in step.operations:
            operations.append(_operation(step, operation, found, why))
        for rule, finding in found:
            warnings.append(_warning(step, rule, finding, told))
    return Report(
        is_valid=not errors,
        operations=tuple(operations),
        warnings=tuple(warnings),
        errors=tuple(errors),
        risk_level=_gravest(Risk, {operation.risk_level for operation in operations}),
        migration_type=kind,
        server_version=server_version,
        file=file,
        needs=needs,
        not_seen=analysis.unseen,
        plan=plan(analysis, told),
        in_one_transaction=in_one_transaction(analysis, version=server_version, catalog=catalog),
        **_whole(analysis),  # type: ignore[arg-type]
    )


Level = TypeVar("Level", Kind, Risk)


def _gravest(levels: type[Level], found: set[Level]) -> Level:
    """The last of the levels that is among those found; the first when none is."""
    return next((each for each in reversed(levels) if each in found), next(iter(levels)))


def _in_batches(analysis: Analysis, told: Directives) -> list[Error]:
    """Note what runs in batches: no single transaction changes many rows then, and the author has
    said what goes. An error for a batch inside a block, which is one transaction."""
    errors: list[Error] = []
    batches = told.batches
    for step in analysis.steps if batches else ():
        batch = batches.get(step.statement.index)
        if batch is None:
            continue
        for operation in step.operations:
            operation.bulk = ()
            operation.notes -= {"no-where"}
            operation.note("batched")
        if step.in_block:
            errors.append(
                Error(
                    "directive",
                    "a batch commits by itself and cannot stand between BEGIN and COMMIT",
                    batch.place.line,
                    batch.place.column,
                    "take it out of the block",
                )
            )
    return errors


def _needs(analysis: Analysis) -> tuple[Need, ...]:
    found = []
    for step in analysis.steps:
        why = reasons(step)
        if why:
            statement, about = step.statement, beside(step)
            line, column, words = statement.line, statement.column, statement.text
            for kind, text, remedy in why:
                found.append(Need(kind, text + about, line, column, words, remedy))
    return tuple(found)


def _warning(step: Step, rule: Rule, finding: Finding, told: Directives) -> Warning:
    statement = step.statement
    return Warning(
        rule.id,
        finding.message + beside(step) if finding.operation.scans else finding.message,
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


def _unknown_rules(told: Directives) -> list[Error]:
    return [
        Error(
            "directive",
            f"allow {each.rule}: there is no such rule",
            each.place.line,
            each.place.column,
            "the rules are listed in docs/rules",
        )
        for each in told.allowed
        if each.rule not in IDS
    ]


def _claim(claimed: Kind, kind: Kind, needs: tuple[Need, ...]) -> Error:
    first = next(n for n in needs if n.migration_type is kind)
    statement = " ".join(first.statement.split())
    shortened = statement if len(statement) <= 80 else statement[:77] + "..."
    return Error(
        "type",
        f"claimed {claimed}, needs {kind}: {shortened}: {first.why}",
        first.line,
        first.column,
        first.remedy or f"run it with --type {kind}",
    )


def _operation(
    step: Step, operation: Operation, of_step: list[tuple[Rule, Finding]], why: list[Reason]
) -> OperationReport:
    """`of_step`: what the rules find in the statement, in all of its operations; `why`: why the
    statement needs more than `safe`."""
    found = of_step
    if found and len(step.operations) > 1:
        found = [each for each in of_step if each[1].operation is operation]
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


def _whole(analysis: Analysis) -> dict[str, object]:
    """Facts of the file as a whole."""
    locks: dict[str, Lock] = {}
    reads: set[str] = set()
    writes: set[str] = set()
    rewritten: set[str] = set()
    extensions: set[str] = set()
    destructive = bulk = breaks = False
    for step in analysis.steps:
        if step.locks:
            gather(locks, step.locks)
        if step.grows:
            reads |= step.blocked_reads
            writes |= step.blocked_writes
        for operation in step.operations:
            if operation.rewrites:
                rewritten |= operation.rewrites
            if operation.extensions:
                extensions.update(operation.extensions)
            if operation.destroys:
                destructive = True
            if operation.bulk:
                bulk = True
            if operation.breaks:
                breaks = True
    locking = next((step for step in analysis.steps if step.locks), None)
    return {
        "rewrites_tables": tuple(sorted(rewritten)),
        "locks": {name: mode.wire for name, mode in sorted(locks.items())},
        "blocks_reads_of": tuple(sorted(reads)),
        "blocks_writes_of": tuple(sorted(writes)),
        "destructive": destructive,
        "bulk_dml": bulk,
        "breaks_clients": breaks,
        "requires_extensions": tuple(sorted(extensions)),
        "lock_timeout_set": locking is not None and locking.lock_timeout_set,
    }
