"""A position in the write-ahead log, in order and with distances in bytes.

Source: PostgreSQL manual, "pg_lsn Type": two hexadecimal numbers of up to 8 digits, `16/B374D848`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, order=True)
class Lsn:
    value: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `'16/B374D848'`; raises ValueError for anything else."""
        high, slash, low = text.partition("/")
        if not slash or not 1 <= len(high) <= 8 or not 1 <= len(low) <= 8:
            raise ValueError(f"expected an LSN such as '16/B374D848', found {text!r}")
        return cls((int(high, 16) << 32) | int(low, 16))

    def __str__(self) -> str:
        return f"{self.value >> 32:X}/{self.value & 0xFFFFFFFF:X}"

    def bytes_behind(self, other: Lsn) -> int:
        """How many bytes this position lies behind `other`; 0 when it is at it or past it."""
        return max(0, other.value - self.value)
