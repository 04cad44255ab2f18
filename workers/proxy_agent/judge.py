"""What is to be done about an attempt, from what its two sides say. Pure: one table, no I/O.

The new side decides: its record goes from `open` to `committed` (in the transaction that lifts its
fence) or to `burnt`, and never further but by `revoke`. The old side's record is a second lock: it
goes to `committed` (consent) before anything is routed to the new side, or to `burnt` in the
transaction that lifts the old side's fence. So the old side opens only where no route to the new
side can follow, even when the new side cannot be asked; and whoever acts, however late, asks first.
tests/unit/proxy_agent/test_judge.py runs two actors through every interleaving of this table.
"""

from __future__ import annotations

from enum import StrEnum

from workers.proxy_agent.attempt import State


class Act(StrEnum):
    BURN_NEW = "burn the attempt on the new side"
    GIVE_BACK_OLD = "burn it on the old side and lift that fence"
    CONSENT = "let the old side consent"
    REVOKE = "close the new side again: the old one was reopened"
    GO_FORWARD = "route to the new side and resume"
    GO_BACK = "route to the old side and resume"
    WAIT = "wait until a side can be asked"
    STOP = "touch nothing and call a person: consent follows the commit point, never goes before it"


UNREACHABLE = None
Said = State | None

TABLE: dict[tuple[Said, Said], Act] = {
    # new side       old side
    ("open",         "open"):        Act.BURN_NEW,
    ("open",         "burnt"):       Act.BURN_NEW,
    ("open",         "committed"):   Act.STOP,
    ("open",         UNREACHABLE):   Act.BURN_NEW,
    ("burnt",        "open"):        Act.GIVE_BACK_OLD,
    ("burnt",        "burnt"):       Act.GO_BACK,
    ("burnt",        "committed"):   Act.STOP,
    ("burnt",        UNREACHABLE):   Act.WAIT,
    ("committed",    "open"):        Act.CONSENT,
    ("committed",    "burnt"):       Act.REVOKE,
    ("committed",    "committed"):   Act.GO_FORWARD,
    ("committed",    UNREACHABLE):   Act.WAIT,
    (UNREACHABLE,    "open"):        Act.GIVE_BACK_OLD,
    (UNREACHABLE,    "burnt"):       Act.GO_BACK,
    (UNREACHABLE,    "committed"):   Act.GO_FORWARD,
    (UNREACHABLE,    UNREACHABLE):   Act.WAIT,
}  # fmt: skip


def next_act(new: Said, old: Said) -> Act:
    return TABLE[new, old]
