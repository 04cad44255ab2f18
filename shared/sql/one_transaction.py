"""What changes when a runner wraps the whole file in one transaction.

The same recipe is safe or not by that: a CHECK that is NOT VALID and then validated keeps writers
out only when the first statement's lock is still held while the second one reads the table.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.sql.analysis import Analysis, analyse
from shared.sql.catalog import Catalog
from shared.sql.locks import Lock, gather

LIMIT = 200
"""Statements of a file that is followed a second time; a longer one is not."""


@dataclass(frozen=True, slots=True)
class InOneTransaction:
    is_valid: bool
    """False where PostgreSQL refuses a statement of the file inside a transaction."""
    locks: dict[str, str]
    rewrites_tables: tuple[str, ...]
    blocks_reads_of: tuple[str, ...]
    blocks_writes_of: tuple[str, ...]


def in_one_transaction(
    several: Analysis, *, version: int, catalog: Catalog | None
) -> InOneTransaction | None:
    """None where it makes no difference: a statement that may run in one, a BEGIN of its own."""
    statements = several.reading.statements
    if len(statements) > LIMIT or any(s.tag == "TransactionStmt" for s in statements):
        return None
    if len(statements) == 1 and not several.steps[0].outside_block:
        return None
    one = analyse(several.reading, version=version, catalog=catalog, as_one=True)
    locks: dict[str, Lock] = {}
    for step in one.steps:
        gather(locks, step.locks)
    return InOneTransaction(
        is_valid=not any(problem.kind != "forbidden" for problem in one.problems),
        locks={name: mode.wire for name, mode in sorted(locks.items())},
        rewrites_tables=_names(
            n for step in one.steps for o in step.operations for n in o.rewrites
        ),
        blocks_reads_of=_names(n for step in one.steps for n in step.blocked_reads),
        blocks_writes_of=_names(n for step in one.steps for n in step.blocked_writes),
    )


def _names(names: object) -> tuple[str, ...]:
    return tuple(sorted(set(names)))  # type: ignore[call-overload]
