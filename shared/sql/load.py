"""How long clients would wait: a table's size and traffic, known from a live database only.

The rates are what one process does on ordinary disks; the answer is an order of magnitude, not a
promise. `--trace` measures, on an empty copy.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.sql.schema_objects import Relation
from shared.sql.step import Step

SCAN_BYTES_PER_S = 500_000_000
BUILD_BYTES_PER_S = 100_000_000
"""An index built, or a table copied."""
_BUILDS = ("INDEX", "UNIQUE", "PRIMARY_KEY", "EXCLUDE")
_UNITS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def loads(step: Step, relations: Iterable[Relation]) -> list[str]:
    """`orders: 41 GB, 1,200 writes/s, blocked for about 400 s`, for each table worked through."""
    wanted = {name for operation in step.operations for name in operation.scans}
    found = []
    for relation in relations:
        if relation.label in wanted and relation.size_bytes is not None:
            parts = [size(relation.size_bytes)]
            if relation.writes_per_s is not None:
                parts.append(f"{relation.writes_per_s:,.0f} writes/s")
            seconds = relation.size_bytes / _rate(step, relation.label)
            parts.append(f"blocked for about {duration(seconds)}")
            found.append(f"{relation.label}: {', '.join(parts)}")
    return found


def _rate(step: Step, label: str) -> int:
    builds = any(
        label in operation.rewrites or any(word in operation.type for word in _BUILDS)
        for operation in step.operations
    )
    return BUILD_BYTES_PER_S if builds else SCAN_BYTES_PER_S


def size(count: int) -> str:
    """Bytes in the largest unit that leaves a number of at least one, in two digits."""
    for unit, name in _UNITS:
        if count >= unit:
            number = count / unit
            return f"{number:.0f} {name}" if number >= 10 else f"{number:.1f} {name}"
    return f"{count} bytes"


def duration(seconds: float) -> str:
    if seconds < 1:
        return "a moment"
    return f"{seconds:,.0f} s" if seconds < 600 else f"{seconds / 60:,.0f} min"
