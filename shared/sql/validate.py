"""Validate one migration file: text in, report out. Pure; the same call serves CLI and worker."""

from __future__ import annotations

from shared.domain.kinds import Kind, Risk
from shared.sql.analysis import Analysis, analyse
from shared.sql.catalog import Catalog
from shared.sql.collection import no_collection
from shared.sql.context import Step
from shared.sql.directives import Directives, directives
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.need import beside, reasons, risk
from shared.sql.one_transaction import in_one_transaction
from shared.sql.parse import read
from shared.sql.plan import plan
from shared.sql.report import Error, Need, OperationReport, Report, Warning
from shared.sql.rules import IDS, findings
from shared.sql.rules.rule import Finding, Rule

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
    reading = read(sql)
    analysis = analyse(reading, version=server_version, catalog=catalog)
    told = directives(sql, reading)
    misplaced = _in_batches(analysis, told)
    needs = _needs(analysis)
    kind = max((n.migration_type for n in needs), key=lambda k: k.rank, default=Kind.SAFE)
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
    found = [(step, rule, each) for step in analysis.steps for rule, each in findings(step)]
    of: dict[int, list[tuple[Rule, Finding]]] = {}
    for _, rule, each in found:
        of.setdefault(id(each.operation), []).append((rule, each))
    operations = tuple(
        _operation(step, operation, of.get(id(operation), []))
        for step in analysis.steps
        for operation in step.operations
    )
    return Report(
        is_valid=not errors,
        operations=operations,
        warnings=_warnings(found, told),
        errors=tuple(errors),
        risk_level=max((o.risk_level for o in operations), key=_RISKS.index, default=Risk.LOW),
        migration_type=kind,
        server_version=server_version,
        file=file,
        needs=needs,
        not_seen=analysis.unseen,
        plan=plan(analysis, told),
        in_one_transaction=in_one_transaction(analysis, version=server_version, catalog=catalog),
        **_whole(analysis),  # type: ignore[arg-type]
    )


_RISKS = list(Risk)


def _in_batches(analysis: Analysis, told: Directives) -> list[Error]:
    """Note what runs in batches: no single transaction changes many rows then, and the author has
    said what goes. An error for a batch inside a block, which is one transaction."""
    errors = []
    for step in analysis.steps:
        batch = told.batches.get(step.statement.index)
        if batch is None:
            continue
        for operation in step.operations:
            operation.bulk.clear()
            operation.notes.discard("no-where")
            operation.notes.add("batched")
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
    return tuple(
        Need(
            migration_type=reason.kind,
            why=reason.why + beside(step),
            line=step.statement.line,
            column=step.statement.column,
            statement=step.statement.text,
            remedy=reason.remedy,
        )
        for step in analysis.steps
        for reason in reasons(step)
    )


def _warnings(found: list[tuple[Step, Rule, Finding]], told: Directives) -> tuple[Warning, ...]:
    return tuple(
        Warning(
            rule=rule.id,
            message=finding.message + (beside(step) if finding.operation.scans else ""),
            line=step.statement.line,
            column=step.statement.column,
            risk_level=rule.risk,
            remedy=rule.remedy,
            rewrite=finding.rewrite,
            allowed=_allowed(told, rule.id, step.statement.index),
        )
        for step, rule, finding in found
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
    step: Step, operation: Operation, found: list[tuple[Rule, Finding]]
) -> OperationReport:
    mode = max(operation.locks.values(), default=None)
    grows = bool(operation.scans)
    return OperationReport(
        type=operation.type,
        statement=step.statement.text,
        risk_level=risk(step, operation),
        line=step.statement.line,
        column=step.statement.column,
        tables=tuple(operation.tables),
        lock=mode.wire if mode is not None else None,
        rewrites_table=bool(operation.rewrites),
        scans_table=grows,
        blocks_reads=grows and bool(step.blocked_reads),
        blocks_writes=grows and bool(step.blocked_writes),
        destructive=bool(operation.destroys),
        requires=tuple(operation.extensions),
        rules=tuple(rule.id for rule, _ in found),
        advice=found[0][0].remedy if found else next((r.remedy for r in reasons(step)), ""),
        rewrite=next((each.rewrite for _, each in found if each.rewrite), ""),
    )


def _whole(analysis: Analysis) -> dict[str, object]:
    """Facts of the file as a whole."""
    operations = [o for step in analysis.steps for o in step.operations]
    locks: dict[str, Lock] = {}
    for step in analysis.steps:
        for name, mode in step.locks.items():
            locks[name] = max(mode, locks.get(name, mode))
    locking = next((step for step in analysis.steps if step.locks), None)
    return {
        "rewrites_tables": _sorted(name for o in operations for name in o.rewrites),
        "locks": {name: mode.wire for name, mode in sorted(locks.items())},
        "blocks_reads_of": _sorted(n for step in analysis.steps for n in step.blocked_reads),
        "blocks_writes_of": _sorted(n for step in analysis.steps for n in step.blocked_writes),
        "destructive": any(o.destroys for o in operations),
        "bulk_dml": any(o.bulk for o in operations),
        "breaks_clients": any(o.breaks for o in operations),
        "requires_extensions": _sorted(name for o in operations for name in o.extensions),
        "lock_timeout_set": locking is not None and locking.lock_timeout_set,
    }


def _sorted(names: object) -> tuple[str, ...]:
    return tuple(sorted(set(names)))  # type: ignore[call-overload]
