"""Validate one migration file: text in, report out. Pure; the same call serves CLI and worker."""

from __future__ import annotations

from operator import attrgetter
from typing import TypeVar

from shared.domain.kinds import Kind, Risk
from shared.sql.analysis import Analysis, analyse
from shared.sql.catalog import Catalog
from shared.sql.collection import no_collection
from shared.sql.directives import Directives, directives
from shared.sql.one_transaction import in_one_transaction
from shared.sql.parse import opened
from shared.sql.plan import plan
from shared.sql.report import Error, Need, Report
from shared.sql.rules import IDS
from shared.sql.step_reports import StepReports
from shared.sql.whole_file import whole

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
    of_steps = StepReports(analysis, told)
    needs = tuple(of_steps.needs)
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
    return Report(
        is_valid=not errors,
        operations=tuple(of_steps.operations),
        warnings=tuple(of_steps.warnings),
        errors=tuple(errors),
        risk_level=_gravest(Risk, set(map(_RISK, of_steps.operations))),
        migration_type=kind,
        server_version=server_version,
        file=file,
        needs=needs,
        not_seen=analysis.unseen,
        plan=plan(analysis, told),
        in_one_transaction=in_one_transaction(analysis, version=server_version, catalog=catalog),
        **whole(analysis),  # type: ignore[arg-type]
    )


_RISK = attrgetter("risk_level")
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
