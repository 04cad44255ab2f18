"""`run --dry-run`: what would be done, said from the files alone; no queue, no database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from producer.configuration import Configuration
from producer.exit_codes import ExitCode
from producer.intake import Intake, all_valid, files_document, refuse, take_in
from producer.output import Output
from producer.render import duration
from producer.validate_text import readiness_lines
from producer.windows import with_window
from shared.domain.errors import Refused
from shared.domain.kinds import COPY_BYTES_PER_S, DEFAULT_SCOPE, Kind, Strategy
from shared.domain.migration import RunOptions
from shared.saga.recipes import RECIPES, planned
from shared.settings import load

CLIENTS_MEET = {
    "hold": "clients wait, at most the pooler's query_wait_timeout: then they get an error",
    "refuse": "clients are refused (`database is disabled`) until the file has run",
}
GREEN_BY: Mapping[Strategy | None, str] = {
    "fork": "green: forked from the standby, in about a second whatever the size; then what the "
    "file rewrites",
    "copy": "green: copied through SQL, about "
    f"{duration(1e9 / COPY_BYTES_PER_S)} for each GB; preflight says how much it is",
    None: "green: not seen, since no stack is configured here; forked from a standby (about a "
    "second), or copied where only addresses are known",
}
"""How a risky migration gets its green."""


def dry_run(
    configuration: Configuration, output: Output, files: Sequence[Path], asked: Mapping[str, Any]
) -> ExitCode:
    """Print the plan of every file; 3 when one has errors."""
    options = RunOptions(**asked)
    taken = take_in(files, options.claimed)
    if not all_valid(taken):
        return refuse(output, taken)
    options_of = {
        item.path: with_window(options, item.kind, configuration.windows) for item in taken
    }
    strategy = configured_strategy(configuration.environment)
    output.document(
        files_document([plan_document(one, options_of[one.path], strategy) for one in taken])
    )
    for item in taken:
        for line in plan_lines(item, options_of[item.path], strategy):
            output.say(line)
    return ExitCode.DONE


def configured_strategy(environment: Mapping[str, str]) -> Strategy | None:
    """As preflight will decide it, by the drivers of the servers; None where no stack is
    configured."""
    try:
        return load(environment).strategy
    except Refused:
        return None


def plan_document(item: Intake, options: RunOptions, strategy: Strategy | None) -> dict[str, Any]:
    steps = [
        {"name": step.name, "owner": step.owner} for step in planned(RECIPES[item.kind], options)
    ]
    green_by = strategy if item.kind is Kind.RISKY else None
    return {**item.document(), "runsAs": item.kind.value, "greenBy": green_by, "steps": steps}


def plan_lines(item: Intake, options: RunOptions, strategy: Strategy | None) -> Iterator[str]:
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
    yield from _of_its_kind(item.kind, options, strategy)
    yield "  steps: " + ", ".join(step.name for step in planned(RECIPES[item.kind], options))
    for unseen in report.not_seen:
        yield f"  not seen: {unseen}"
    if item.readiness is not None:
        yield from readiness_lines(item.readiness)


def _of_its_kind(kind: Kind, options: RunOptions, strategy: Strategy | None) -> Iterator[str]:
    if kind is Kind.MAINTENANCE:
        yield f"  {CLIENTS_MEET[options.on_maintenance]}"
    if kind is Kind.RISKY:
        yield f"  {GREEN_BY[strategy]}"
