"""A person's word before what is not safe: `--yes`, or an answer on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from producer.intake import Intake
from producer.output import Output
from shared.domain.errors import Refused
from shared.domain.kinds import Kind

NOT_CONFIRMED = "NotConfirmed"


def confirm(output: Output, taken: Sequence[Intake]) -> None:
    """Safe migrations need no word. Raises Refused without one, or with no terminal to ask on."""
    grave = [item for item in taken if item.kind is not Kind.SAFE]
    if not grave:
        return
    names = ", ".join(f"{item.path.name} ({item.kind.value})" for item in grave)
    if not sys.stdin.isatty():
        raise Refused(
            f"{names} must be confirmed, and there is no terminal to ask on",
            remedy="add --yes; nothing was enqueued",
            code=NOT_CONFIRMED,
        )
    output.warn(f"About to run {names}.")
    if not asked_yes():
        raise Refused("not confirmed", remedy="nothing was enqueued", code=NOT_CONFIRMED)


def asked_yes() -> bool:
    """Ask on the terminal; anything but yes is no."""
    sys.stderr.write("Go on? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
