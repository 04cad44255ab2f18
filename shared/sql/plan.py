"""The transactions in which a safe file runs on the active side.

One transaction for the whole file, except where work that grows with a table would follow a strong
lock in it, where PostgreSQL refuses a block, or where the author says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.sql.analysis import Analysis
from shared.sql.directives import Batch as DirectedBatch
from shared.sql.directives import Directives
from shared.sql.locks import Lock
from shared.sql.need import listed
from shared.sql.parse import Statement
from shared.sql.step import Step


@dataclass(slots=True)
class Group:
    """Statements that are run, recorded and repeated together."""

    statements: tuple[int, ...]
    """Indexes into the file's statements; BEGIN and COMMIT are not among them."""
    transaction: bool
    begin: str = "BEGIN"
    """How the block is opened: the author's own words where there are any."""
    lock_timeout: bool = True
    """Whether each statement gives up a lock it does not get soon, and is tried again."""
    short_pause: bool = False
    """It changes the row type of a table in use: server connections are renewed around it."""
    rolls_back: bool = False
    """The author's own ROLLBACK ends it."""
    batch: Batch | None = None
    """It runs in many transactions, each over one stretch of a key."""
    why: str = ""
    """Why it does not stand with the statements before it."""


@dataclass(frozen=True, slots=True)
class Batch:
    table: str
    key: str
    """Both as the directive has them."""
    size: int
    """Rows of the table that one transaction walks."""


def plan(analysis: Analysis, directives: Directives) -> tuple[Group, ...]:
    groups = _groups(analysis, directives)
    changing = {step.statement.index for step in analysis.steps if step.rows_change}
    for group in groups if changing else ():
        group.short_pause = not changing.isdisjoint(group.statements)
    return tuple(groups)


def _groups(analysis: Analysis, directives: Directives) -> list[Group]:
    groups: list[Group] = []
    batches, no_transaction = directives.batches, directives.no_transaction
    apart = no_transaction or bool(batches)
    explicit: Statement | None = None
    members: list[int] = []
    so_far = SoFar()
    why = ""
    steps = iter(analysis.steps)
    for statement in analysis.reading.statements:
        if statement.tag == "TransactionStmt":
            kind = statement.node.get("kind", "")
            if kind in ("TRANS_STMT_BEGIN", "TRANS_STMT_START"):
                _close(groups, members, why)
                explicit, members, why = statement, [], ""
            elif explicit is not None and kind in ("TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK"):
                rolls_back = kind == "TRANS_STMT_ROLLBACK"
                groups.append(_own(members, explicit, rolls_back=rolls_back))
                explicit, members = None, []
            elif explicit is not None:
                members.append(statement.index)
            continue
        step = next(steps)
        if explicit is not None:
            members.append(statement.index)
        elif (apart or step.outside_block) and (
            alone := _alone(step, batches, no_transaction=no_transaction)
        ):
            _close(groups, members, why)
            members, why = [], ""
            groups.append(alone)
        else:
            if members and (reason := so_far.keeps_out(step)):
                _close(groups, members, why)
                members, why = [], reason
            if not members:
                so_far = SoFar()
            so_far.add(step)
            members.append(statement.index)
    _close(groups, members, why)
    return groups


def _own(members: list[int], begin: Statement, *, rolls_back: bool) -> Group:
    """The group of a block that the author opened himself."""
    return Group(tuple(members), True, begin.text, rolls_back=rolls_back, why="its own BEGIN")


def _alone(step: Step, batches: dict[int, DirectedBatch], *, no_transaction: bool) -> Group | None:
    """The group of a statement that shares no transaction with others; None for one that may."""
    statement = step.statement.index
    if asked := batches.get(statement):
        return Group(
            (statement,),
            transaction=False,
            batch=Batch(asked.table, asked.key, asked.size),
            why=f"in batches of {asked.size} along {asked.key}",
        )
    if step.outside_block:
        return Group(
            (statement,),
            transaction=False,
            lock_timeout=False,
            why="PostgreSQL does not run it inside a transaction",
        )
    if no_transaction:
        return Group((statement,), transaction=False, why="no-transaction")
    return None


def _close(groups: list[Group], members: list[int], why: str) -> None:
    if members:
        groups.append(Group(tuple(members), transaction=True, why=why))


_ROWS = Lock.ROW_EXCLUSIVE


class SoFar:
    """What the transaction that is being gathered holds and has done."""

    __slots__ = ("locked", "new_enum_value", "written")

    def __init__(self) -> None:
        self.locked: set[str] = set()
        self.written: set[str] = set()
        self.new_enum_value = False

    def add(self, step: Step) -> None:
        for name, mode in step.locks.items():
            if mode.strong:
                self.locked.add(name)
            elif mode is _ROWS:
                self.written.add(name)
        if step.statement.tag == "AlterEnumStmt":
            self.new_enum_value |= step.operations[-1].type == "ADD_ENUM_VALUE"

    def keeps_out(self, step: Step) -> str:
        """Why a statement must not share the transaction; empty when it may."""
        if step.grows and self.locked:
            return f"its work would go on while {listed(self.locked)} is locked"
        if self.written and any(m.strong and n in self.written for n, m in step.locks.items()):
            return "rows of the table were changed just before: their triggers must have fired"
        if self.new_enum_value:
            return "a new enum value can be used only after the commit"
        return ""
