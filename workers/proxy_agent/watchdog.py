"""A pause ends in time whatever becomes of the process that began it.

Started beside each cutover as a process of its own (`python -m workers.proxy_agent.watchdog`), with
connections that stand before the pause. It acts when its deadline is over, or at once when its
input ends, which says that the cutover's process died. To act is to settle: burn the attempt on
the new side first, and only then reopen the old one; or, where the cutover was quicker and has
committed, go forward in its place. Source: docs/cutover.md.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.drivers.remote_driver import addressed_nodes
from shared.adapters.pooler.poolers import poolers_of
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError, Transient
from shared.domain.objects import AGENT_ROLES
from shared.settings import Settings
from workers.proxy_agent import locks
from workers.proxy_agent.attempt import Attempt, Way
from workers.proxy_agent.reach import Reach, reaching
from workers.proxy_agent.settle import Settlement

SETTLE_LIMIT_S = 120.0
BETWEEN_TRIES_S = 0.05
LOST_ATTEMPT = "BG001"
WIDENED_LIMIT_S = 5.0
"""From the end of the pause until the pool must be as wide as before; later we see to it."""


@dataclass
class Orders:
    """What the cutover's process says on our standard input, line by line."""

    buffer: bytes = b""
    ended: bool = False
    said: dict[str, Any] = field(default_factory=dict)

    def listen(self, *, until: float | None) -> None:
        """Take in what there is; wait for more until that reading of the monotonic clock."""
        wait_s = None if until is None else max(0.0, until - time.monotonic())
        if not select.select([sys.stdin], [], [], wait_s)[0]:
            return
        piece = os.read(sys.stdin.fileno(), 65536)
        self.ended = not piece
        *lines, self.buffer = (self.buffer + piece).split(b"\n")
        for line in lines:
            self.said |= json.loads(line)


def main() -> None:
    orders = Orders()
    while "settings" not in orders.said and not orders.ended:
        orders.listen(until=None)
    if orders.ended:
        return
    settings = Settings.model_validate(orders.said["settings"])
    attempt = attempt_of(orders.said["attempt"])
    nodes = addressed_nodes(settings, AGENT_ROLES["proxy-agent"])
    with (
        reaching(nodes[attempt.old]) as old,
        reaching(nodes[attempt.new]) as new,
        ExitStack() as stack,
    ):
        try:
            new.ask(lambda side: locks.take(side, locks.WATCHDOG))
            old.ask(lambda side: side.newest())
            pooler = stack.enter_context(poolers_of(settings).opened())
        except MigrationError as error:
            _say({"problem": error.message})
            return
        _say({"ready": True})
        if not _is_needed(orders):
            with suppress(MigrationError):  # the cutover tried; done once more it costs nothing
                pooler.widen()
        else:
            door = SymlinkDoor(settings)
            _settle(Settlement(pooler, door), Settlement(poolers_of(settings), door),
                    attempt, old, new)  # fmt: skip


def attempt_of(body: Mapping[str, Any]) -> Attempt:
    return Attempt(
        body["number"], body["job"], Way(body["way"]),
        Colour(body["old"]), Colour(body["new"]), body["returning"],
    )  # fmt: skip


def _is_needed(orders: Orders) -> bool:
    """Wait for the end of the pause, the deadline, or the end of our input; the first decides."""
    while "deadline" not in orders.said and not orders.ended:
        orders.listen(until=None)
    if "deadline" not in orders.said:
        return False
    _say({"armed": True})
    deadline = orders.said["deadline"]
    while True:
        orders.listen(until=deadline)
        if "done" in orders.said:
            _await_widened(orders)
            return False
        if orders.ended or time.monotonic() >= deadline:
            return True


def _await_widened(orders: Orders) -> None:
    """The cutover widens the pool slowly. One that has died meanwhile, or is frozen, does not."""
    until = time.monotonic() + WIDENED_LIMIT_S
    while "widened" not in orders.said and not orders.ended and time.monotonic() < until:
        orders.listen(until=until)


def _settle(
    quick: Settlement, reopened: Settlement, attempt: Attempt, old: Reach, new: Reach
) -> None:
    """Over the connections that stand, then over new ones, until it is settled."""
    deadline = time.monotonic() + SETTLE_LIMIT_S
    settlement = quick
    while True:
        try:
            settlement.settle(attempt, old, new)
            return
        except Transient as error:
            if error.code == LOST_ATTEMPT:
                return
            if time.monotonic() > deadline:
                raise
        settlement = reopened
        time.sleep(BETWEEN_TRIES_S)


def _say(message: Mapping[str, Any]) -> None:
    with suppress(BrokenPipeError):  # who asked is dead, which we learn from our input
        os.write(sys.stdout.fileno(), json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
    os._exit(0)  # to tidy up would take tens of milliseconds of the clients' processor
