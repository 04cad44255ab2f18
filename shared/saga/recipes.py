"""The three recipes: the steps in order, each with its owner, its limit and its role.

`compensatable`: can be undone, and is, in reverse order, when a later step fails.
`pivot`:         the point of no return; sent only when everything before it holds.
`retriable`:     behind the pivot, forward only: repeated until it is done.

Replication runs back to the old side from the cutover on, so the cutover itself can be undone:
the pivot of a risky migration is `finish`, hours later. That is the product's promise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.domain.migration import Kind

StepRole = Literal["compensatable", "pivot", "retriable"]
MINUTE = 60.0
HOUR = 60 * MINUTE
NO_LIMIT = 366 * 24 * HOUR
"""For the steps that wait for a person or a clock: they carry their own end."""


@dataclass(frozen=True, slots=True)
class RecipeStep:
    name: str
    owner: str
    """Agent, which is also the name of its queue."""
    limit_s: float
    """Start to done; over it the step has failed."""
    attempts: int
    """How often it may begin, the first time included."""
    undone_by: str
    """What people read; the deed is the step's own `undo`."""
    role: StepRole = "compensatable"
    waits: bool = False
    """A step that waits for a person or a clock: no work is under way in it."""

    @property
    def task_name(self) -> str:
        return f"{self.owner}.{self.name}"


def _step(name: str, owner: str, limit_s: float, attempts: int, undone_by: str) -> RecipeStep:
    return RecipeStep(name, owner, limit_s, attempts, undone_by)


def _wait(name: str, owner: str) -> RecipeStep:
    return RecipeStep(name, owner, NO_LIMIT, 3, "nothing to undo", waits=True)


_NOTHING = "nothing to undo"

# fmt: off
SAFE: tuple[RecipeStep, ...] = (
    _step("validate",              "validator",      1 * MINUTE,  3, _NOTHING),
    _step("preflight",             "health-monitor", 1 * MINUTE,  3, _NOTHING),
    _step("take_rollback_point",   "backup",         4 * HOUR,    2, "mark the point unused"),
    _step("verify_rollback_point", "backup",         4 * HOUR,    2, "drop the scratch database"),
    _wait("hold_for_approval",     "coordinator"),
    _step("apply_on_active",       "replicator",     4 * HOUR,    1, "the file's own transaction"),
    RecipeStep("confirm",          "health-monitor", 1 * HOUR,    1, _NOTHING, "pivot"),
)

RISKY: tuple[RecipeStep, ...] = (
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
    _step("compare_rows",          "validator",      12 * HOUR,   3, _NOTHING),
    _step("check_statements",      "validator",      10 * MINUTE, 3, _NOTHING),
    _wait("wait_for_window",       "coordinator"),
    _wait("hold_for_approval",     "coordinator"),
    _step("cutover",               "proxy-agent",    10 * MINUTE, 5, "reverse cutover"),
    _step("confirm",               "health-monitor", 1 * HOUR,    1, _NOTHING),
    _wait("hold_rollback_window",  "health-monitor"),
    RecipeStep("finish",           "replicator",     1 * HOUR,    5, "cannot be undone", "pivot"),
    RecipeStep("restore_standby",  "replicator",     12 * HOUR,   5, "cannot be undone",
               "retriable"),
)

MAINTENANCE: tuple[RecipeStep, ...] = (
    _step("validate",              "validator",      1 * MINUTE,  3, _NOTHING),
    _step("preflight",             "health-monitor", 1 * MINUTE,  3, _NOTHING),
    _wait("wait_for_window",       "coordinator"),
    _wait("hold_for_approval",     "coordinator"),
    _step("pause_standby_replay",  "replicator",     1 * MINUTE,  3, "resume replay"),
    _step("hold_traffic",          "proxy-agent",    1 * MINUTE,  3, "release traffic"),
    _step("take_rollback_point",   "backup",         4 * HOUR,    2, "mark the point unused"),
    _step("verify_rollback_point", "backup",         4 * HOUR,    2, "drop the scratch database"),
    _step("apply_on_active",       "replicator",     12 * HOUR,   1, "the file's own transaction"),
    _step("confirm",               "health-monitor", 1 * HOUR,    1, _NOTHING),
    _step("release_traffic",       "proxy-agent",    1 * MINUTE,  5, "hold traffic"),
    RecipeStep("finish",           "replicator",     1 * HOUR,    5, "cannot be undone", "pivot"),
)
# fmt: on

RECIPES: dict[Kind, tuple[RecipeStep, ...]] = {
    Kind.SAFE: SAFE,
    Kind.RISKY: RISKY,
    Kind.MAINTENANCE: MAINTENANCE,
}
