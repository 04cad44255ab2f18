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
