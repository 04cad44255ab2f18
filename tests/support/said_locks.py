"""What the validator says that a file locks, for tests that compare it with what servers did."""

from __future__ import annotations

from shared.sql.report import Report


def said_locks(found: Report) -> dict[str, str]:
    """Relation -> mode without its "Lock", of a file in which no error was found."""
    assert not found.errors
    return {name: mode.removesuffix("Lock") for name, mode in found.locks.items()}
