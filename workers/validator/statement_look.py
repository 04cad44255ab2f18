"""One statement on one shape: whether the server parses and plans it, and at what estimated cost.

Source: PostgreSQL manual, "PREPARE", "EXPLAIN" (GENERIC_PLAN, 16 on).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.domain.errors import Refused
from shared.ports import Session

BY_SHAPE = re.compile(r"/\*\s*bluegreen:\s*by shape\s*\*/", re.IGNORECASE)
"""The mark of a sender that asks which shape it is on and has another statement for the other."""
COMMENTS = re.compile(r"(?:\s|/\*.*?\*/|--[^\n]*\n)*", re.DOTALL)
NO_RIGHT = "42501"
GENERIC_PLAN = 160_000
"""First version whose EXPLAIN plans a statement without values for its parameters."""
MUCH_SLOWER = 10
WORTH_A_LINE = 1000.0
"""Estimated cost below which a plan is no news, however much it grew: a few dozen pages."""


@dataclass(frozen=True, slots=True)
class Seen:
    problem: str | None = None
    """Why the server cannot parse or plan it."""
    cost: float = 0.0
    """0: not planned."""

    def is_slower_than(self, before: Seen) -> bool:
        planned = before.cost > 0 and self.problem is None
        return planned and self.cost > max(WORTH_A_LINE, MUCH_SLOWER * before.cost)


def is_by_shape(statement: str) -> bool:
    return BY_SHAPE.search(statement) is not None


def look(session: Session, statement: str) -> Seen:
    """Inside a transaction of the caller's.

    Rights are not asked about: the validator may not write, and the statement is not its own.
    """
    try:
        with session.transaction():
            session.execute(f"PREPARE bluegreen_check AS {statement}")
            session.execute("DEALLOCATE bluegreen_check")
        if _plans_generically(session) and not writes(statement):
            with session.transaction():
                plan = session.value(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {statement}")
            return Seen(cost=float(plan[0]["Plan"]["Total Cost"]))
    except Refused as error:
        return Seen(None if error.code == NO_RIGHT else error.message)
    return Seen()


def writes(statement: str) -> bool:
    bare = statement[COMMENTS.match(statement).end() :]  # type: ignore[union-attr]  # may be empty
    return bare.split(maxsplit=1)[0].lower() not in ("select", "with")


def _plans_generically(session: Session) -> bool:
    return bool(session.value("SELECT current_setting('server_version_num')::int") >= GENERIC_PLAN)
