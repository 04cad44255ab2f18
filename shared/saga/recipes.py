"""The three recipes: the steps in order, each with its owner, its limit and its role.

`compensatable`: can be undone, and is, in reverse order, when a later step fails.
`commits`:       one act that is done or not: the point of no return once it is done. Its `undo`
                 refuses (Refused) when the world shows that; the job then goes on.
`pivot`:         the point of no return from the moment it is sent, for it may run half and fail.
`retriable`:     behind the point of no return, forward only: repeated until it is done.

Replication runs back to the old side from the cutover on, so the cutover itself can be undone:
the pivot of a risky migration is `finish`, hours later. That is the product's promise.

A rollback has two endings. *Abandon* undoes every step. *Keep the sync* undoes only what comes
after `hold_in_sync`, with replication forward again, and waits there: the same steps then lead to
another cutover. Where the target never served, `hold_in_sync` and `rederive` have nothing to do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from shared.domain.kinds import Kind

if TYPE_CHECKING:
    from shared.domain.migration import RunOptions

StepRole = Literal["compensatable", "commits", "pivot", "retriable"]
Asked = Literal["", "hold", "window", "backup"]
MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NO_LIMIT = 366 * 24 * HOUR
"""For the steps that wait for a person or a clock: they carry their own end."""
UNDO_ATTEMPTS = 8
"""With the back-off below about two minutes: longer than a server takes to come back."""
AWAY_ATTEMPTS = UNDO_ATTEMPTS
"""So often may a step find that a server is away. One that was away takes no attempt from those
that the step has for failures of its own."""
UNDO_LIMIT_S = 10 * MINUTE
"""At least; an undo has the limit of its step where that is longer."""
LONGEST_BACKOFF_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeStep:
    name: str
    owner: str
    """Agent, which is also the name of its queue."""
    limit_s: float
    """From the start of an attempt to its end; over it the step has failed."""
    attempts: int
    """How often it may begin, the first time included."""
    undone_by: str
    """What people read; the deed is the step's own `undo`."""
    role: StepRole = "compensatable"
    waits: bool = False
    """It waits for a person or a clock: no work is under way in it, so it is left at once."""
    ends_on: str = ""
    """The request that ends its waiting: `approve`, `finish`."""
    only_if: Asked = ""
    """What the user must have asked for; else the step is skipped."""
    can_pause: bool = False
    """It has parts, and waits between two of them while a person wants it so."""
    looks_only: bool = False
    """It changes nothing: what it refuses is refused, with nothing to undo."""
    changes: bool = False
    """With --no-rollback a failure from here on leaves the servers as they are."""
    rests_in_sync: bool = False
    """A rollback that keeps the sync undoes what comes after this step, and goes on from it."""
    holds_until: str = ""
    """Traffic may be held from its start until that step is done: never left so at rest."""
    backoff_s: float = 1.0
    """Pause before the second attempt; doubled before each further one."""

    @property
    def task_name(self) -> str:
        return f"{self.owner}.{self.name}"

    @property
    def undo_limit_s(self) -> float:
        return UNDO_LIMIT_S if self.waits else max(UNDO_LIMIT_S, self.limit_s)

    def wait_before(self, attempt: int) -> float:
        """Seconds to wait before that attempt, which is 2 or higher."""
        return min(LONGEST_BACKOFF_S, self.backoff_s * 2.0 ** min(attempt - 2, 16))


Recipe = tuple[RecipeStep, ...]


_NOTHING = "nothing to undo"
_NEVER = "cannot be undone"

LOOKS_ONLY = frozenset({"validate", "preflight"})
CAN_PAUSE = frozenset({"apply_on_active"})
CHANGES = frozenset({"create_green", "pause_standby_replay", "apply_on_active"})
ENDS_ON = {
    "hold_in_sync": "approve",
    "hold_for_approval": "approve",
    "hold_rollback_window": "finish",
}
HOLDS_UNTIL = {"cutover": "cutover", "hold_traffic": "release_traffic"}
CUTOVER = "cutover"
IN_SYNC = "hold_in_sync"
WINDOW = "hold_rollback_window"
ONLY_IF: dict[str, Asked] = {
    "take_rollback_point": "backup",
    "dump_rollback_point": "backup",
    "verify_rollback_point": "backup",
    "hold_for_approval": "hold",
    "wait_for_window": "window",
}


def _step(
    name: str,
    owner: str,
    limit_s: float,
    attempts: int,
    undone_by: str,
    role: StepRole = "compensatable",
) -> RecipeStep:
    return RecipeStep(
        name=name,
        owner=owner,
        limit_s=limit_s,
        attempts=attempts,
        undone_by=undone_by,
        role=role,
        only_if=ONLY_IF.get(name, ""),
        can_pause=name in CAN_PAUSE,
        looks_only=name in LOOKS_ONLY,
        changes=name in CHANGES,
        holds_until=HOLDS_UNTIL.get(name, ""),
    )


def _wait(name: str, owner: str) -> RecipeStep:
    return RecipeStep(
        name=name,
        owner=owner,
        limit_s=NO_LIMIT,
        attempts=3,
        undone_by=_NOTHING,
        waits=True,
        ends_on=ENDS_ON.get(name, ""),
        rests_in_sync=name == IN_SYNC,
        only_if=ONLY_IF.get(name, ""),
    )


# fmt: off
SAFE: Recipe = (
    _step("validate",              "validator",      1 * MINUTE,  3, _NOTHING),
    _step("preflight",             "health-monitor", 1 * MINUTE,  3, _NOTHING),
    _step("take_rollback_point",   "backup",         4 * HOUR,    2, "mark the point unused"),
    _step("verify_rollback_point", "backup",         4 * HOUR,    2, "drop the scratch database"),
    _wait("hold_for_approval",     "coordinator"),
    _wait("wait_for_window",       "coordinator"),
    _step("apply_on_active",       "replicator",     7 * DAY,     1, "its transaction", "commits"),
    _step("confirm",               "health-monitor", 1 * HOUR,    1, _NEVER, "retriable"),
)

RISKY: Recipe = (
    _step("validate",              "validator",      1 * MINUTE,  3, _NOTHING),
    _step("preflight",             "health-monitor", 1 * MINUTE,  3, _NOTHING),
    _step("take_rollback_point",   "backup",         10 * MINUTE, 2, "mark the point unused"),
    _step("rehearse",              "replicator",     10 * MINUTE, 2, "drop the scratch databases"),
    _step("freeze_schema",         "replicator",     1 * MINUTE,  3, "drop the event trigger"),
    _step("create_green",          "replicator",     4 * HOUR,    2, "make it a standby again"),
    _step("apply_migration",       "replicator",     12 * HOUR,   1, "green is thrown away"),
    _step("subscribe",             "replicator",     5 * MINUTE,  2, "drop the subscription"),
    _step("catch_up",              "replicator",     12 * HOUR,   3, _NOTHING),
    _step("dump_rollback_point",   "backup",         12 * HOUR,   2, "delete the data part"),
    _step("verify_rollback_point", "backup",         12 * HOUR,   2, "drop the scratch database"),
    _wait("hold_in_sync",          "health-monitor"),
    _step("rederive",              "replicator",     12 * HOUR,   5, _NOTHING),
    _step("compare_rows",          "validator",      12 * HOUR,   3, _NOTHING),
    _step("check_statements",      "validator",      10 * MINUTE, 3, _NOTHING),
    _wait("hold_for_approval",     "coordinator"),
    _wait("wait_for_window",       "coordinator"),
    _step("cutover",               "proxy-agent",    10 * MINUTE, 5, "reverse cutover"),
    _step("confirm",               "health-monitor", 1 * HOUR,    1, _NOTHING),
    _wait("hold_rollback_window",  "health-monitor"),
    _step("finish",                "replicator",     1 * HOUR,    5, _NEVER, "pivot"),
    _step("restore_standby",       "replicator",     12 * HOUR,   5, _NEVER, "retriable"),
)

MAINTENANCE: Recipe = (
    _step("validate",              "validator",      1 * MINUTE,  3, _NOTHING),
    _step("preflight",             "health-monitor", 1 * MINUTE,  3, _NOTHING),
    _wait("hold_for_approval",     "coordinator"),
    _wait("wait_for_window",       "coordinator"),
    _step("pause_standby_replay",  "replicator",     1 * MINUTE,  3, "resume replay"),
    _step("hold_traffic",          "proxy-agent",    1 * MINUTE,  3, "release traffic"),
    _step("take_rollback_point",   "backup",         4 * HOUR,    2, "mark the point unused"),
    _step("verify_rollback_point", "backup",         4 * HOUR,    2, "drop the scratch database"),
    _step("apply_on_active",       "replicator",     12 * HOUR,   1, "the file's own transaction"),
    _step("confirm",               "health-monitor", 1 * HOUR,    1, _NOTHING),
    _step("release_traffic",       "proxy-agent",    1 * MINUTE,  5, "held still", "commits"),
    _step("finish",                "replicator",     1 * HOUR,    5, _NEVER, "retriable"),
)
# fmt: on

RECIPES: dict[Kind, Recipe] = {
    Kind.SAFE: SAFE,
    Kind.RISKY: RISKY,
    Kind.MAINTENANCE: MAINTENANCE,
}


def planned(recipe: Recipe, options: RunOptions) -> Recipe:
    """The steps of `recipe` that run with these options, with the limits they ask for.

    What is left out (`only_if`) is shown as skipped. The result is stored with the job, so that a
    job goes on by its own plan when the program is renewed under it.
    """
    asked = {
        "": True,
        "hold": options.hold,
        "window": options.at is not None or options.window is not None,
        "backup": options.backup != "none",
    }
    more_s = {"confirm": options.timeout_s, "cutover": options.switch_delay_s}
    return tuple(
        replace(step, limit_s=step.limit_s + more_s.get(step.name, 0.0))
        for step in recipe
        if asked[step.only_if]
    )
