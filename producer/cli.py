"""`bluegreen`: the commands in one place, and what happens when one of them fails.

Whatever goes wrong ends in one line that says what was expected, what was found and what to do,
and in an exit code of producer.exit_codes. Nothing here decides anything about a migration.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import Abort, TyperException

from producer.commands import (
    alerts,
    audit,
    backups,
    baseline,
    certs,
    checks,
    config,
    demo,
    look,
    proxy,
    prune,
    run,
    stack,
    steer,
)
from producer.config_values import known_options, place_of
from producer.configuration import STATE_DIR, Configuration, defaults_for, read_configuration
from producer.exit_codes import ExitCode, of_error
from producer.output import Output, error_document, error_line
from producer.streams import lost, outlive_readers
from shared.domain.errors import MigrationError, Refused

DEBUG = "BLUEGREEN_DEBUG"
NO_COMMAND = "NoArgsIsHelpError"
GROUPS = (
    run,
    look,
    steer,
    proxy,
    backups,
    prune,
    checks,
    baseline,
    alerts,
    audit,
    certs,
    stack,
    demo,
    config,
)
"""In the order of `--help`."""

app = typer.Typer(
    name="bluegreen",
    help="PostgreSQL schema migrations that an application does not notice.",
    epilog="Exit codes: 0 done, 1 rolled back, 2 usage, 3 refused, 4 waits for approval, "
    "5 another job, 6 still running, 7 needs an operator, 69 unreachable, 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for group in GROUPS:
    group.register(app)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error.", envvar=DEBUG)
    ] = False,
    state_dir: Annotated[
        Path | None, typer.Option("--state-dir", help="The stack [default: BLUEGREEN_STATE_DIR].")
    ] = None,
) -> None:
    if version:
        from importlib.metadata import version as installed

        print(f"bluegreen {installed('bluegreen')}")
        raise typer.Exit(ExitCode.DONE)
    configuration: Configuration = context.obj
    if state_dir is not None:
        named = {**configuration.environment, STATE_DIR: str(state_dir)}
        context.obj = replace(configuration, environment=named, state_dir_from_file=False)


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its code."""
    words = sys.argv[1:] if arguments is None else arguments
    outlive_readers()
    code = run_command(words)
    sys.stdout.flush()
    error = lost()
    if error is not None and not isinstance(error, BrokenPipeError):
        found = f"expected to write to standard output, found {error.strerror}"
        Output(as_json=False).warn(error_line(found, "the exit code is the command's own"))
    sys.exit(code)


def run_command(words: list[str]) -> int:
    """Run one command; its exit code. Never raises but SystemExit of a shell completion."""
    output = Output(as_json="--json" in words)
    configuration = Configuration(None, {})
    try:
        command: Any = typer.main.get_command(app)
        configuration = read_configuration(_folder(), os.environ)
        code = command.main(
            args=words,
            prog_name="bluegreen",
            standalone_mode=False,
            obj=configuration,
            default_map=defaults_for(configuration, known_options(command)),
        )
        return int(code or 0)
    except KeyboardInterrupt:  # before the command itself heard it
        return ExitCode.INTERRUPTED
    except Exception as error:
        if "--debug" in words or os.environ.get(DEBUG):
            import traceback

            traceback.print_exc()
        return tell(error, output, configuration, words)


def _folder() -> Path:
    """Where it is called. Raises Refused where that folder was removed under its shell."""
    try:
        return Path.cwd()
    except OSError as error:
        raise Refused(
            f"expected a current directory, found none: {error.strerror}",
            remedy="change to a directory that is there",
        ) from error


def tell(
    error: Exception, output: Output, configuration: Configuration, words: Sequence[str]
) -> ExitCode:
    """Say in one line what went wrong, and in a document when one was asked for."""
    code, message, remedy, machine = describe(error)
    if page := help_page(error):
        output.warn(page)
        output.document(error_document(message, code=machine, remedy=remedy, exit_code=code))
    elif message:
        place = place_of(configuration.source, configuration.tables, error)
        message = f"{place}: {message}" if place else message
        remedy = behind_dashes(error, words) or remedy
        output.warn(error_line(message, remedy))
        output.document(error_document(message, code=machine, remedy=remedy, exit_code=code))
    return code


def help_page(error: Exception) -> str:
    """The page of a group of commands that was called without one; empty for any other error."""
    context = getattr(error, "ctx", None)  # Typer hands this error over under no public name
    return str(context.get_help()) if context and type(error).__name__ == NO_COMMAND else ""


def behind_dashes(error: Exception, words: Sequence[str]) -> str:
    """What helps where a file's name was read as an option; empty where none was."""
    options = words[: words.index("--")] if "--" in words else words
    files = [word for word in options if word.startswith("-") and word.endswith(".sql")]
    if not hasattr(error, "option_name") or not files:
        return ""
    return f"a file whose name begins with - stands behind --, or as ./{files[0]}: `-- {files[0]}`"


def describe(error: Exception) -> tuple[ExitCode, str, str, str]:
    """Exit code, message, remedy and the machine's word for an error."""
    match error:
        case MigrationError():
            return of_error(error), error.message, error.remedy, error.code
        case TyperException():
            context = getattr(error, "ctx", None)
            page = f"`{context.command_path} --help` shows the options" if context else ""
            if help_page(error):
                return ExitCode.USAGE, "expected a command, found none", page, "Usage"
            message = error.format_message().replace("Value error, ", "").rstrip(".")
            return ExitCode.USAGE, message, page, "Usage"
        case Abort():
            return ExitCode.USAGE, "nothing was confirmed", "nothing was done", "Aborted"
        case _:
            return (
                ExitCode.NEEDS_OPERATOR,
                f"unexpected {type(error).__name__}: {error}",
                "this is a defect; `bluegreen --debug ...` shows where",
                type(error).__name__,
            )
