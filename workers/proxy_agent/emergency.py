"""Traffic is brought to one side by hand, fenced as in a cutover, with nothing else of ours alive.

Started by `bluegreen proxy` as a process of its own (`python -m workers.proxy_agent.emergency`). It
asks the two servers and the doors, and needs no Redis, no coordinator and no control database.

Guarantee   `switch`: that side is open, the other is not, every door leads to it, nobody is held
Repeats     safe; an attempt that somebody left half done is settled first
Fails with  Refused    the way there is not open: without replication a switch would lose writes;
                       the side that serves is dead, and its losses are not accepted
            Transient  a side that must answer does not; nothing was opened in doubt
            Broken     both sides are open to the application
Source      docs/cutover.md; workers/proxy_agent/judge.py
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.drivers.remote_driver import addressed_nodes
from shared.adapters.pooler.poolers import poolers_of
from shared.domain.environment import Colour
from shared.domain.errors import Broken, MigrationError, Refused, Transient
from shared.domain.objects import AGENT_ROLES
from shared.ports import DirectDoor, Node, Pooler
from shared.settings import Settings
from workers.proxy_agent.attempt import Way
from workers.proxy_agent.companions import watchdogs
from workers.proxy_agent.reach import reaching
from workers.proxy_agent.recovery import LIMIT_S, Found, Recovery
from workers.proxy_agent.side import ServerSide, opened
from workers.proxy_agent.switch import Order, Switch
from workers.proxy_agent.take_over import take_over

PATIENCE_S = 30.0
"""An attempt that gives up has changed nothing for the application: it is tried again so long."""
BETWEEN_TRIES_S = (0.2, 0.6)
"""Jitter keeps us from meeting the same moment of the application again."""
SideState = Literal["open", "fenced", "standby", "unreachable"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where traffic goes, as the servers and the doors say themselves."""

    pooled: Colour
    direct: Colour | None
    """None while what connects is held."""
    paused: bool
    sides: Mapping[Colour, SideState]
    job: str | None
    """Of the newest attempt at a cutover that a server knows."""

    @property
    def serving(self) -> Colour | None:
        """The one side that is open. Raises Broken when both are."""
        open_ones = [colour for colour, state in self.sides.items() if state == "open"]
        if len(open_ones) > 1:
            raise Broken(
                "expected one side open to the application, found both; nothing was touched",
                remedy="fence the side that must not serve: SELECT bluegreen.fence() on it",
            )
        return open_ones[0] if open_ones else None

    @property
    def has_standby(self) -> bool:
        """Then no job is between its fork and its end."""
        return "standby" in self.sides.values()


@dataclass(frozen=True)
class Emergency:
    nodes: Mapping[Colour, Node]
    pooler: Pooler
    door: DirectDoor
    switch: Switch

    @property
    def recovery(self) -> Recovery:
        return Recovery(self.nodes, self.pooler, self.door)

    def look(self) -> Standing:
        found = self.recovery.look()
        return Standing(
            pooled=self.pooler.routed_to(),
            direct=self.door.routed_to(),
            paused=self.pooler.is_paused(),
            sides={colour: self._state_of(node) for colour, node in self.nodes.items()},
            job=found.attempt.job if found else None,
        )

    def bring_to(
        self,
        colour: Colour,
        max_stall_ms: int,
        *,
        accept_loss: bool = False,
        job: str | None = None,
    ) -> Standing:
        """Settle what is half done, switch when it must be, and lead every door there.

        `job` is the live one, where somebody knows it.
        """
        found = self.recovery.look()
        standing = self.look()
        # A standby has no attempt of its own: what it shows is the serving side's, which has ended.
        if found is not None and not _was_given_up(found) and not standing.has_standby:
            self.recovery.settle(found)
            standing = self.look()
        if (standing.sides[colour], standing.sides[colour.other]) == ("fenced", "unreachable"):
            with opened(self.nodes[colour], limit_s=LIMIT_S) as side:
                attempt = take_over(side, job, accept_loss=accept_loss)
            self.recovery.settle(Found(attempt, {"new": "committed"}))
        elif standing.serving is not colour:
            self._switch_back(standing, found, colour, max_stall_ms)
        elif (standing.pooled, standing.direct) != (colour, colour) or standing.paused:
            self.pooler.route_to(colour)
            self.door.route_to(colour)
            self.pooler.resume()
        return self.look()

    def _switch_back(
        self, standing: Standing, found: Found | None, colour: Colour, max_stall_ms: int
    ) -> None:
        serving = standing.serving
        if (
            found is None
            or serving is None
            or standing.has_standby
            or found.attempt.way is not Way.FORWARD
            or found.attempt.new is not serving
        ):
            raise Refused(
                f"expected replication from the serving side to {colour}, found "
                + ", ".join(f"{side} {state}" for side, state in standing.sides.items())
                + " and no cutover to take back; nothing was touched",
                remedy="a switch there would lose writes; `bluegreen health` says what is wrong",
            )
        order = Order(found.attempt.job, Way.BACK, serving, False, max_stall_ms)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.switch.run(order)
                return
            except Transient:
                if time.monotonic() > deadline:
                    raise
                time.sleep(random.uniform(*BETWEEN_TRIES_S))

    def _state_of(self, node: Node) -> SideState:
        with reaching(node, limit_s=LIMIT_S) as reach:
            found: SideState | None = reach.ask(_state)
        return found or "unreachable"


def _state(side: ServerSide) -> SideState:
    if side.session.value("SELECT pg_is_in_recovery()"):
        return "standby"
    return "fenced" if side.is_fenced() else "open"


def _was_given_up(found: Found) -> bool:
    """Both sides say so. One that was committed may still lack its way back."""
    return len(found.states) == 2 and set(found.states.values()) == {"burnt"}


def answer(order: Mapping[str, Any]) -> dict[str, Any]:
    """What is said back: the standing, or the error in its family."""
    settings = Settings.model_validate(order["settings"])
    nodes = addressed_nodes(settings, AGENT_ROLES["proxy-agent"])
    pooler, door = poolers_of(settings), SymlinkDoor(settings)
    emergency = Emergency(nodes, pooler, door, Switch(nodes, pooler, door, watchdogs(settings)))
    try:
        if order["do"] == "switch":
            standing = emergency.bring_to(
                Colour(order["to"]),
                order["max_stall_ms"],
                accept_loss=order.get("accept_loss", False),
                job=order.get("job"),
            )
        else:
            standing = emergency.look()
        return {"standing": {**asdict(standing), "serving": standing.serving}}
    except MigrationError as error:
        return {"family": error.family, "message": error.message, "remedy": error.remedy}


def main() -> None:
    print(json.dumps(answer(json.loads(sys.stdin.readline()))), flush=True)


if __name__ == "__main__":
    main()
