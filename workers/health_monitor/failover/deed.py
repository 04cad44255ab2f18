"""A standby takes over from an active server that is dead: fence, read on, promote, route.

Guarantee   the dead server cannot come back writable; the standby serves, every door leads to it
Repeats     safe: each act looks first; a monitor that dies half way is followed by the next look
Fails with  Refused    commits that the dead server acknowledged are missing, or nobody can tell:
                       named by LSN; nothing was promoted, and that server may come back
            Transient  the dead server's host, the standby or the pooler does not answer
Source      docs/failover.md; PostgreSQL manual, "Log-Shipping Standby Servers": a standby that has
            lost its stream reads on with restore_command, here in the dead server's own pg_wal
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from shared.adapters.named_queries import named_queries
from shared.domain.environment import Colour
from shared.domain.errors import Refused, Transient
from shared.domain.lsn import Lsn
from shared.domain.objects import STANDBY_SLOTS
from shared.ports import Commit, DirectDoor, Fencing, Node, Pooler, Session

SQL = named_queries(__file__, "failover.sql")
ASK_LIMIT_S = 2.0
FENCE_LIMIT_S = 8.0
READ_ON_LIMIT_S = 30.0
PROMOTE_LIMIT_S = 25
LOCK = "SELECT pg_try_advisory_lock(hashtext('bluegreen failover'))"
POLL_S = 0.05
NAMED = 3


@dataclass(frozen=True, slots=True)
class Told:
    """What came of it."""

    new: Colour
    missing: Sequence[Commit] | None
    """Commits that are given up; None: nobody could tell."""
    seconds: float

    @property
    def sentence(self) -> str:
        lost = "nobody can tell what is missing" if self.missing is None else (
            f"{len(self.missing)} commits are given up" if self.missing else
            "nothing acknowledged is missing"
        )  # fmt: skip
        return f"{self.new} took over from {self.new.other} in {self.seconds:.1f} s: {lost}"


@dataclass(frozen=True)
class Failover:
    nodes: Mapping[Colour, Node]
    pooler: Pooler
    door: DirectDoor
    clock: Callable[[], float] = time.monotonic

    def run(
        self, dead: Colour, *, was_synchronous: bool = False, accept_loss: bool = False
    ) -> Told:
        """`was_synchronous`: at the last look commits waited for a standby."""
        began = self.clock()
        old, new = self.nodes[dead], self.nodes[dead.other]
        with new.session(limit_s=READ_ON_LIMIT_S, connect_limit_s=ASK_LIMIT_S) as session:
            if not session.value(LOCK):
                raise Transient(f"expected no other takeover at work on {new.colour}, found one")
            self._fence(old, new)
            if follows(session):
                missing = self._read_on(old, new, session)
                if missing is None and was_synchronous:
                    missing = ()
                if (missing is None or missing) and not accept_loss:
                    reason = _refusal(dead, missing, replayed_lsn(session))
                    self._unfence(old)
                    raise reason
                self._promote(new, session)
            else:
                missing = ()
            session.execute(
                "SELECT bluegreen.note_failover(%s, %s, %s, %s)",
                (
                    dead.value, STANDBY_SLOTS[dead.value], STANDBY_SLOTS[dead.other.value],
                    None if missing is None else len(missing),
                ),
            )  # fmt: skip
        self.pooler.route_to(new.colour)
        self.door.route_to(new.colour)
        self.pooler.resume()
        return Told(new.colour, missing, self.clock() - began)

    def _fence(self, old: Node, new: Node) -> None:
        """No process of it is left, and whoever starts it gets a standby: never a second writer."""
        driver = old.driver
        if not isinstance(driver, Fencing):
            raise Refused(
                f"expected a way to the host of {old.colour} to fence it, found only its address",
                remedy=f"make sure that {old.colour} is off and stays so, then promote "
                f"{new.colour} by hand and `bluegreen proxy switch {new.colour}`",
            )
        driver.end(limit_s=FENCE_LIMIT_S)
        old.driver.set_access("closed")
        old.driver.set_recovery(followed_by(old, of=new), standby=True)

    def _read_on(self, old: Node, new: Node, session: Session) -> Sequence[Commit] | None:
        """Let the standby replay what the dead server wrote and never sent; what it lacks then."""
        driver = old.driver
        assert isinstance(driver, Fencing), "it was fenced"
        replayed = replayed_lsn(session)
        written = driver.commits_after(replayed)
        if not written:
            return written
        more = {"restore_command": driver.restore_command()}
        new.driver.set_recovery(followed_by(new, of=old) | more, standby=True)
        new.driver.reload()
        last, deadline = Lsn.parse(written[-1].lsn), self.clock() + READ_ON_LIMIT_S
        while Lsn.parse(replayed_lsn(session)) <= last:
            if self.clock() > deadline:
                break
            time.sleep(POLL_S)
        here = Lsn.parse(replayed_lsn(session))
        return [commit for commit in written if Lsn.parse(commit.lsn) >= here]

    def _unfence(self, old: Node) -> None:
        """Nothing was promoted: the dead server is still the one that may serve, when it comes."""
        old.driver.clear_recovery()
        old.driver.set_access("open")
        with suppress(Transient):
            old.driver.start(limit_s=POLL_S)

    def _promote(self, new: Node, session: Session) -> None:
        if not session.value("SELECT bluegreen.promote(%s)", (PROMOTE_LIMIT_S,)):
            raise Transient(f"expected {new.colour} to be promoted in time; it is tried again")
        new.driver.clear_recovery()


def _refusal(dead: Colour, missing: Sequence[Commit] | None, here: str) -> Refused:
    if missing is None:
        said = f"the WAL of {dead} behind {here} cannot be read: nobody can tell what is missing"
    else:
        named = ", ".join(f"{commit.lsn} ({commit.at})" for commit in missing[:NAMED])
        said = f"{len(missing)} commits of {dead} behind {here} are missing, the first {named}"
    return Refused(
        f"expected {dead.other} to have everything that {dead} acknowledged, found that {said}; "
        "nothing was promoted",
        remedy=f"bring {dead} or its disk back, or accept the loss with "
        "`bluegreen failover --accept-loss`",
    )


def follows(session: Session) -> bool:
    return bool(session.value("SELECT pg_is_in_recovery()"))


def replayed_lsn(session: Session) -> str:
    return str(session.value("SELECT pg_last_wal_replay_lsn()::text"))


def followed_by(standby: Node, *, of: Node) -> dict[str, str]:
    """Recovery settings of a standby of that node."""
    return {
        "primary_conninfo": of.replication_conninfo(database=None),
        "primary_slot_name": STANDBY_SLOTS[standby.colour.value],
    }
