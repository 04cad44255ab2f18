"""How an option is declared and checked, and those that several commands take: each once.

Precedence is flag, then environment (`BLUEGREEN_<NAME>`), then `bluegreen.toml`, then the default
shown by `--help`. A value out of range ends the command with exit 2 and names its option.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer

DAY_S = 86_400
MONTH_S = 30 * DAY_S

ColourName = Literal["blue", "green"]


def option(flag: str, sentence: str, **more: Any) -> Any:
    """An option that can also be set in the environment, under the flag's own name."""
    variable = "BLUEGREEN_" + flag.removeprefix("--").replace("-", "_").upper()
    return typer.Option(flag, help=sentence, envvar=variable, show_envvar=False, **more)


def examples(*lines: str) -> str:
    """The end of a help page: one example per line (`\\b` keeps the lines apart)."""
    return "\b\nExamples:\n" + "\n".join(f"  bluegreen {line}" for line in lines)


def in_range(low: float, high: float, unit: str, *, open_low: bool = False) -> Callable[..., Any]:
    """A check that a number is finite and inside the range; NaN compares false with all."""

    def check(value: float | None) -> float | None:
        if value is None:
            return None
        above = low < value if open_low else low <= value
        if not (math.isfinite(value) and above and value <= high):
            edge = "above" if open_low else "from"
            raise typer.BadParameter(
                f"expected {unit} {edge} {low:.16g} and up to {high:.16g}, found {value:.16g}"
            )
        return value

    return check


# What several commands take.
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document; people's lines go to stderr.")
]
Yes = Annotated[bool, option("--yes", "Confirm every question beforehand.")]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="The id, like 20261123-7f3a.")]
MaybeJobId = Annotated[
    str | None, typer.Argument(metavar="[JOB]", help="The id, like 20261123-7f3a.")
]
WaitTimeout = Annotated[
    float | None,
    option(
        "--wait-timeout",
        "Follow at most SECONDS, then exit 6; the job goes on.",
        metavar="SECONDS",
        callback=in_range(0, MONTH_S, "seconds", open_low=True),
    ),
]
Detach = Annotated[bool, option("--detach", "Enqueue, print the job's id, and return.")]
MaxStall = Annotated[
    int,
    option(
        "--max-stall",
        "Longest wait a cutover may cause; over it traffic stays where it is.",
        metavar="MS",
        callback=in_range(50, 60_000, "milliseconds"),
    ),
]
