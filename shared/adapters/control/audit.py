"""Who did what, in a chain: each row carries the hash of the one before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg.types.json import Jsonb

from shared.adapters.control.queries import QUERIES
from shared.adapters.postgres import PsycopgSession


def append(session: PsycopgSession, actor: str, action: str, detail: Mapping[str, Any]) -> None:
    """Append one row, in the caller's transaction when there is one."""
    session.execute(
        "SELECT bluegreen_control.append_audit(%s, %s, %s)", (actor, action, Jsonb(dict(detail)))
    )


def first_broken(session: PsycopgSession) -> int | None:
    """Number of the first row that was changed or has no predecessor; None: the chain holds."""
    found: int | None = session.value(QUERIES["broken_audit_row"])
    return found


def head(session: PsycopgSession) -> tuple[int, str | None]:
    """How many rows there are, and the newest as `SEQ:HASH`; None where there is none."""
    row = session.row(QUERIES["audit_head"])
    assert row is not None, "subqueries make one row"
    return int(row[0]), row[1]


def hash_of(session: PsycopgSession, seq: int) -> str | None:
    """In hex; None when there is no such row."""
    found: str | None = session.value(QUERIES["audit_hash"], (seq,))
    return found
