"""Show what is configured, and where each value comes from."""

from __future__ import annotations

from typing import Any

import typer

from producer.options import Json, examples
from producer.output import Output

config = typer.Typer(help="What is configured.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    app.add_typer(config, name="config")


@config.command(epilog=examples("config show", "config show --json"))
def show(context: typer.Context, as_json: Json = False) -> None:
    """Every setting with its source: environment, bluegreen.toml, the stack, default.

    Secrets are never printed: only that they are set.
    """
    from producer import configured

    root: Any = context.find_root().command
    options = [
        configured.OptionOf(parameter.opts[0], parameter.envvar, parameter.default)
        for command in ("run",)
        if command in root.commands
        for parameter in root.commands[command].params
        if parameter.envvar
    ]
    configured.show(context.obj, options, Output(as_json))
