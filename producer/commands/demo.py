"""`bluegreen demo`: a shop under load, migrated, taken back, migrated again, all writes counted."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from producer.exit_codes import ExitCode
from producer.options import Json, examples
from producer.output import Output

Rows = Annotated[
    int, typer.Option("--rows", min=1000, envvar="ROWS", help="Rows of the largest table.")
]
Folder = Annotated[
    Path, typer.Option("--folder", help="Where the journal, the files and report.json are left.")
]

SHOWN = (
    "acknowledged", "lost", "duplicated", "failed", "longestStallMs", "longestStallDuring",
    "secondsToWritableGreen", "rowsCompared", "rowsDifferent", "seconds",
)  # fmt: skip
"""What the report ends with, in this order."""


def register(app: typer.Typer) -> None:
    app.command(epilog=examples("demo", "demo --rows 200000 --json"))(demo)


def demo(
    rows: Rows = 2_000_000,
    folder: Folder = Path("build/demo"),
    clients: Annotated[int, typer.Option("--clients", min=1, max=16)] = 16,
    rate: Annotated[float, typer.Option("--rate", min=1, help="Transactions a second.")] = 400,
    as_json: Json = False,
) -> None:
    """Show the whole way on a stack of its own: forward, back, again, finish, the other direction.

    Exits 1 when one acknowledged write is lost or doubled, one transaction failed, or one row of
    a comparison was different.
    """
    from shared.adapters.demo.scenario import Demo, is_clean, play

    output = Output(as_json)
    with TemporaryDirectory(prefix="bluegreen-demo-") as place:
        Path(place).chmod(0o755)  # the servers' own user must be able to enter
        state = Path(place) / "state"
        report = play(Demo(folder.absolute(), state, rows, clients, rate, output.say))
    for name in SHOWN:
        output.say(f"{name:>24}  {report[name]}")
    for each in report["finishes"]:
        waits = f"{each['longestMs']} ms, {each['standbyLongestMs']} ms while the standby was made"
        output.say(f"{'longest wait at finish':>24}  {waits} ({each['job']})")
    output.document(report)
    raise typer.Exit(ExitCode.DONE if is_clean(report) else ExitCode.ROLLED_BACK)
