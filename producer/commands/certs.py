"""Certificates of the compose stack: certs init, renew, show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from producer.options import Json, examples
from producer.output import Output

Root = Annotated[
    Path, typer.Option("--root", help="Where the stack's volumes are mounted.", hidden=True)
]
ROOT = Path("/stack")
group = typer.Typer(help="The stack's own certificate authority and certificates.",
                    no_args_is_help=True)  # fmt: skip


def register(app: typer.Typer) -> None:
    group.command(epilog=examples("certs init"))(init)
    group.command(epilog=examples("certs renew"))(renew)
    group.command(epilog=examples("certs show", "certs show --json"))(show)
    app.add_typer(group, name="certs")


def init(context: typer.Context, root: Root = ROOT, as_json: Json = False) -> None:
    """Make the authority, and each certificate that is missing or expires within 60 days."""
    from producer import certifying

    certifying.init(context.obj, Output(as_json), root, anew=False)


def renew(context: typer.Context, root: Root = ROOT, as_json: Json = False) -> None:
    """Make every certificate anew; servers read them again when they are reloaded."""
    from producer import certifying

    certifying.init(context.obj, Output(as_json), root, anew=True)


def show(context: typer.Context, root: Root = ROOT, as_json: Json = False) -> None:
    """Whose certificates there are, and until when."""
    from producer import certifying

    certifying.show(Output(as_json), root)
