"""Changes that did not find their row as it was when they were applied, as the server counts them.

Counted from PostgreSQL 18 on; an older server has no such counters and applies on in silence.
Source: PostgreSQL manual, "pg_stat_subscription_stats" and "Logical Replication: Conflicts".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COUNTERS = "SELECT to_jsonb(s) FROM pg_stat_subscription_stats AS s WHERE subname = %s"
FROM_BEFORE_THE_FORK = "confl_update_origin_differs"
"""Rows that were there before anything was replicated: no conflict."""


def conflicts(counters: Mapping[str, Any] | None) -> dict[str, int]:
    """By name, only those that were met."""
    return {
        name: met
        for name, met in (counters or {}).items()
        if name.startswith("confl_") and met and name != FROM_BEFORE_THE_FORK
    }
