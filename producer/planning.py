"""`run --dry-run`: what would be done, said from the files alone; no queue, no database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from producer.exit_codes import ExitCode
from producer.intake import Intake, all_valid, files_document, refuse, take_in
from producer.output import Output
from producer.validate_text import readiness_lines
from shared.domain.kinds import DEFAULT_SCOPE, Kind
from shared.domain.migration import RunOptions
from shared.saga.recipes import RECIPES, planned


def dry_run(output: Output, files: Sequence[Path], asked: Mapping[str, Any]) -> ExitCode:
    """Print the plan of every file; 3 when one has errors."""
    options = RunOptions(**asked)
    taken = take_in(files, options.claimed)
    if not all_valid(taken):
        return refuse(output, taken)
    output.document(files_document([plan_document(item, options) for item in taken]))
    for item in taken:
        for line in plan_lines(item, options):
            output.say(line)
    return ExitCode.DONE


def plan_document(item: Intake, options: RunOptions) -> dict[str, Any]:
    steps = [
        {"name": step.name, "owner": step.owner} for step in planned(RECIPES[item.kind], options)
    ]
    return {**item.document(), "runsAs": item.kind.value, "steps": steps}


def plan_lines(item: Intake, options: RunOptions) -> Iterator[str]:
    report = item.report
    yield f"{report.file}: {item.kind.value}, risk {report.risk_level.value}"
    for need in report.needs:
        yield f"  {need.line}:{need.column} needs {need.migration_type.value}: {need.why}"
    if report.rewrites_tables:
        yield f"  rewrites {', '.join(report.rewrites_tables)}"
    if item.kind is Kind.SAFE and len(report.plan) > 1:
        yield f"  in {len(report.plan)} transactions:"
        for number, group in enumerate(report.plan, 1):
            why = f" ({group.why})" if group.why else ""
            yield f"    {number}. {len(group.statements)} statements{why}"
    scope = options.backup or DEFAULT_SCOPE[item.kind]
    yield f"  rollback point: {scope}"
    yield "  steps: " + ", ".join(step.name for step in planned(RECIPES[item.kind], options))
    for unseen in report.not_seen:
        yield f"  not seen: {unseen}"
    if item.readiness is not None:
        yield from readiness_lines(item.readiness)
