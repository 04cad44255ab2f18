"""Validate and run migration files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from producer import options, run_options
from producer.output import Output
from shared.domain.kinds import Kind

ServerVersion = Annotated[
    int | None,
    typer.Option(
        "--server-version", min=15, max=18, help="Major version it will run on [default: 18]."
    ),
]
Schema = Annotated[
    Path | None,
    typer.Option("--schema", help="The schema it will meet: a `pg_dump -s`, or any DDL."),
]

Live = Annotated[
    bool,
    typer.Option("--live", help="The schema of the active side, with its sizes and traffic."),
]
Trace = Annotated[
    bool,
    typer.Option(
        "--trace", help="Run each file on a throw-away copy of the schema; say what really happens."
    ),
]
Form = Annotated[
    Literal["text", "json", "sarif", "github", "markdown"] | None,
    typer.Option("--format", help="Print the reports alone, in this form."),
]


def register(app: typer.Typer) -> None:
    app.command(epilog=RUN_EXAMPLES)(run)
    app.command(epilog=VALIDATE_EXAMPLES)(validate)


def run(
    context: typer.Context,
    files: run_options.Files,
    claimed: run_options.Claimed = None,
    dry_run: run_options.DryRun = False,
    yes: options.Yes = False,
    no_rollback: run_options.NoRollback = False,
    timeout: run_options.Timeout = 30.0,
    switch_delay: run_options.SwitchDelay = 0.0,
    max_stall: options.MaxStall = 500,
    rollback_window: run_options.RollbackWindow = 3600.0,
    hold: run_options.Hold = False,
    at: run_options.At = None,
    window: run_options.Window = None,
    backup: run_options.Backup = None,
    on_maintenance: run_options.Maintenance = "hold",
    on_slow_transaction: run_options.SlowTransaction = "wait",
    accept_lossy_rollback: run_options.LossyRollback = False,
    accept_broken_statements: run_options.BrokenStatements = False,
    queries: run_options.Queries = None,
    detach: options.Detach = False,
    wait_timeout: options.WaitTimeout = None,
    as_json: options.Json = False,
) -> None:
    """Validate files, enqueue one job each in order, follow live, exit with the outcome.

    Everything is checked before anything is enqueued. The first failure stops the rest.
    """
    run_options.refuse_contradictions(
        files=files, dry_run=dry_run, detach=detach, wait_timeout=wait_timeout
    )
    asked = dict(
        claimed=claimed,
        no_rollback=no_rollback,
        timeout_s=timeout,
        switch_delay_s=switch_delay,
        max_stall_ms=max_stall,
        rollback_window_s=rollback_window,
        hold=hold,
        at=at,
        window=window,
        backup=backup,
        on_maintenance=on_maintenance,
        on_slow_transaction=on_slow_transaction,
        accept_lossy_rollback=accept_lossy_rollback,
        accept_broken_statements=accept_broken_statements,
        queries=run_options.queries_of(queries),
    )
    output = Output(as_json)
    if dry_run:
        from producer import planning

        raise typer.Exit(planning.dry_run(context.obj, output, files, asked))
    from producer import running

    how = running.How(yes=yes, detach=detach, limit_s=wait_timeout)
    raise typer.Exit(running.run(context.obj, output, files, asked, how))


def validate(
    context: typer.Context,
    files: run_options.Files,
    claimed: run_options.Claimed = None,
    schema: Schema = None,
    live: Live = False,
    server_version: ServerVersion = None,
    trace: Trace = False,
    form: Form = None,
    as_json: options.Json = False,
) -> None:
    """Check files: what they do, lock and need. No queue, no database; exit 3 on errors."""
    run_options.refuse_repeated(files)
    if live and schema is not None:
        raise typer.BadParameter("--live and --schema contradict: a file meets one schema")
    from producer import validating

    kind = Kind(claimed) if claimed else None
    against = validating.Against(kind, server_version, schema, form, live, trace)
    raise typer.Exit(validating.validate_files(context.obj, Output(as_json), files, against))


RUN_EXAMPLES = options.examples(
    "run --type safe 001_add_user_preferences.sql",
    "run --type risky --dry-run migrations/*.sql",
    "run --type risky --yes --rollback-window 600 002_drop_unused_table.sql",
    "run --yes --hold --at 2026-11-24T02:00:00+01:00 002_drop_unused_table.sql",
)
VALIDATE_EXAMPLES = options.examples(
    "validate migrations/*.sql",
    "validate --schema schema.sql --server-version 16 002_drop_unused_table.sql",
    "validate --type safe --json 001_add_user_preferences.sql",
    "validate --format sarif migrations/*.sql",
    "validate --live 002_drop_unused_table.sql",
    "validate --trace --schema schema.sql 003_split_names.sql",
)
