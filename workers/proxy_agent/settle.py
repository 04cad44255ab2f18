"""Bring an attempt to its end, forward or back, from whatever state it was left in.

Guarantee   after `settle` exactly one side is open to the application, every door leads to it, and
            nobody is held
Repeats     safe; two who settle at once come to the same end
Fails with  Transient  a side, or the pooler, cannot be asked: nothing was opened in doubt
            Broken     the two records contradict each other
Source      workers/proxy_agent/judge.py is the table of what is done; docs/cutover.md
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from shared.domain.errors import Broken, MigrationError, Transient
from shared.ports import DirectDoor, Pooler
from workers.proxy_agent.attempt import Attempt, State
from workers.proxy_agent.judge import Act, next_act
from workers.proxy_agent.reach import Reach
from workers.proxy_agent.side import ServerSide

End = Literal["forward", "back"]
ROUNDS = 10
"""The longest way through the table takes five acts."""
SLOT_LIMIT_S = 3.0
EMPTY_LIMIT_MS = 100


@dataclass(frozen=True, slots=True)
class Settlement:
    pooler: Pooler
    door: DirectDoor

    def settle(self, attempt: Attempt, old: Reach, new: Reach) -> End:
        """Look, do what the table says, and look again until one side serves."""
        if new.ask(lambda side: _took_over(side, attempt)):
            old.ask(lambda side: _yield_to(side, attempt))
            self._lead_to_new(attempt)
            return "forward"
        for _ in range(ROUNDS):
            said_new, said_old = state_on(new, attempt), state_on(old, attempt)
            act = next_act(said_new, said_old)
            if act is Act.GO_FORWARD:
                self._lead_to_new(attempt)
                self._exchange_streams(attempt, old, new)
                return "forward"
            if act is Act.GO_BACK:
                self._lead_to_old(attempt)
                self._clean(attempt, new)
                return "back"
            if act is Act.STOP:
                raise Broken(
                    f"attempt {attempt.number} is {said_new} on {attempt.new} and {said_old} on "
                    f"{attempt.old}, which cannot be; nothing was touched"
                )
            self._act(act, attempt, old, new, new_can_be_asked=said_new is not None)
        raise Transient(f"attempt {attempt.number} is still being settled by somebody else")

    def _act(
        self, act: Act, attempt: Attempt, old: Reach, new: Reach, *, new_can_be_asked: bool
    ) -> None:
        if act is Act.BURN_NEW:
            new.ask(lambda side: side.burn(attempt))
        elif act is Act.GIVE_BACK_OLD:
            if not new_can_be_asked:
                self._expect_doors_at_old(attempt)
            old.ask(lambda side: side.give_back(attempt))
        elif act is Act.CONSENT:
            old.ask(lambda side: side.commit_old(attempt))
        elif act is Act.REVOKE:
            new.ask(lambda side: side.revoke(attempt))
        else:
            raise Transient(
                f"attempt {attempt.number} from {attempt.old} to {attempt.new} cannot be settled "
                "before the side that does not answer does; looking again"
            )

    def _exchange_streams(self, attempt: Attempt, old: Reach, new: Reach) -> None:
        """Behind the clients' back. A side that does not answer has it done at a later look; the
        new one is first, since what leads there ends before the other begins."""
        record = new.ask(lambda side: side.newest())
        if record is not None:
            new.ask(lambda side: side.part(attempt))
        if record is not None and (apart_at := record.apart_at) is not None:
            old.ask(lambda side: side.begin_return(attempt, apart_at))

    def _expect_doors_at_old(self, attempt: Attempt) -> None:
        """The new side cannot be asked: reopen the old one only where all doors lead to it."""
        found = {self.pooler.routed_to(), self.door.routed_to() or attempt.old}
        if found != {attempt.old}:
            raise Transient(
                f"{attempt.new} does not answer and a door leads to it; nothing is opened "
                "before it does"
            )

    def _lead_to_new(self, attempt: Attempt) -> None:
        self.pooler.route_to(attempt.new)
        self.door.route_to(attempt.new)
        self.pooler.resume()
        self._widen()

    def _lead_to_old(self, attempt: Attempt) -> None:
        self.pooler.route_to(attempt.old)
        self.pooler.resume()
        self.door.route_to(attempt.old)
        self._widen()

    def _widen(self) -> None:
        """What a cutover left narrow is slower, and nothing worse."""
        with suppress(MigrationError):
            self.pooler.widen()

    def _clean(self, attempt: Attempt, new: Reach) -> None:
        """Behind the clients' back: names, stream and slot of the new side as they were."""
        given_back = new.ask(lambda side: side.give_back(attempt))
        if given_back is None:
            raise Transient(
                f"{attempt.old} serves; {attempt.new} does not answer and is put right later"
            )
        deadline = time.monotonic() + SLOT_LIMIT_S
        while not new.ask(lambda side: side.drop_slot(attempt.way.opposite)):
            if time.monotonic() > deadline:
                raise Transient(f"a slot on {attempt.new} is still held by its reader")
            time.sleep(0.01)


def _took_over(side: ServerSide, attempt: Attempt) -> bool:
    record = side.newest()
    return record is not None and record.number == attempt.number and record.taken_over


def _yield_to(side: ServerSide, attempt: Attempt) -> None:
    """The dead one is back, and knows nothing of it: nobody may write there any more."""
    side.yield_to(attempt)
    side.empty(EMPTY_LIMIT_MS)


def state_on(reach: Reach, attempt: Attempt) -> State | None:
    """What that side holds of the attempt; an attempt it never heard of is burnt there.

    Raises Transient with code BG001 when it knows a newer one.
    """

    def look(side: ServerSide) -> State:
        found = side.newest()
        if found is not None and found.number > attempt.number:
            raise Transient(f"attempt {attempt.number} is superseded", code="BG001")
        return "burnt" if found is None or found.number < attempt.number else found.state

    return reach.ask(look)
