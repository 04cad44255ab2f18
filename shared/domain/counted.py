"""Numbers as people read them."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """`1 table`, `2,000 tables`; `many` where the plural is not `one` with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
