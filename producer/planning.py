"""`run --dry-run`: what would be done, said from the files alone; no queue, no database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from producer.exit_codes import ExitCode
from producer.intake import Intake, all_valid, files_document, refuse, take_in
from producer.output import Output
from producer.validate_text import readiness_lines
from producer.windows import with_window
from shared.domain.kinds import DEFAULT_SCOPE, Kind
from shared.domain.migration import RunOptions
from shared.saga.recipes import RECIPES, planned

CLIENTS_MEET = {
    "hold": "clients wait, at most the pooler's query_wait_timeout: then they get an error",
    "refuse": "clients are refused (`database is disabled`) until the file has run",
}


def dry_run(
    output: Output, files: Sequence[Path], asked: Mapping[str, Any], windows: Mapping[str, str]
) -> ExitCode:
    """Print the plan of every file; 3 when one has errors. `windows`: by kind, as configured."""
    options = RunOptions(**asked)
    taken = take_in(files, options.claimed)
    if not all_valid(taken):
        return refuse(output, taken)
    options_of = {item.path: with_window(options, item.kind, windows) for item in taken}
    output.document(files_document([plan_document(one, options_of[one.path]) for one in taken]))
    for item in taken:
        for line in plan_lines(item, options_of[item.path]):
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
    if item.kind is Kind.SAFE and options.backup is None and any(g.batch for g in report.plan):
        scope = "affected"
    yield f"  rollback point: {scope}"
    if options.window or options.at:
        yield f"  waits for {' and '.join(filter(None, (options.at, options.window)))}"
    if item.kind is Kind.MAINTENANCE:
        yield f"  {CLIENTS_MEET[options.on_maintenance]}"
    yield "  steps: " + ", ".join(step.name for step in planned(RECIPES[item.kind], options))
    for unseen in report.not_seen:
        yield f"  not seen: {unseen}"
    if item.readiness is not None:
        yield from readiness_lines(item.readiness)
