"""One case of the corpus, as data: a shape, a file that changes it, and what is written meanwhile.

Each case lives in a schema of its own, which is first on the search_path wherever its SQL runs, so
that the names in it are plain. `@n` in a write is a number that is never used twice in one case,
`@s` the name of the case's schema.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Shape = Literal["old", "new"]
_PLACE = re.compile(r"@([ns])\b")
_DOWN = re.compile(r"(-- bluegreen: down )(\w+\.\w+ *=)")


@dataclass(frozen=True, slots=True)
class Case:
    """`used` pairs what the application writes in the new shape with what it means in the old one:
    the former is done on the target, the latter is what a rollback must have made of it."""

    name: str
    schema: str
    file: str
    writes: tuple[str, ...]
    """In the old shape, again and again, one transaction each."""
    used: tuple[tuple[str, str], ...] = ()
    """Empty: `writes` are the same in both shapes."""
    rows: str = ""
    before_file: str = ""
    """On the reference only, before the file: to turn off triggers that we turn off, too."""
    after_file: str = ""
    ignored: tuple[str, ...] = ()
    """Columns whose values come from a sequence or a clock, so no two runs agree on them."""
    lossy: bool = False
    """A rollback loses values, and the case accepts that."""
    since: int = 15
    """The oldest PostgreSQL version that knows such a file."""
    until: int = 99
    """The newest on which it is carried."""
    apart: bool = False
    """It is no single transaction, so it shares no file with those that are."""

    def sql(self, text: str, n: int = 0) -> str:
        values = {"n": str(n), "s": self.name}
        return _PLACE.sub(lambda place: values[place[1]], text)

    def section(self) -> str:
        """Its part of a file that many cases share."""
        file = _DOWN.sub(rf"\g<1>{self.name}.\g<2>", self.sql(self.file))
        return f"SET search_path = {self.name};\n{file.strip().rstrip(';')};\n"

    def write(self, shape: Shape, turn: int, n: int) -> str:
        """What the application does there in its turn of that number."""
        if shape == "old" or not self.used:
            return self.sql(self.writes[turn % len(self.writes)], n)
        return self.sql(self.used[turn % len(self.used)][0], n)

    def meaning(self, turn: int, n: int) -> str:
        """The same write of the new shape, in the old one."""
        if not self.used:
            return self.write("new", turn, n)
        return self.sql(self.used[turn % len(self.used)][1], n)

    def turns(self, shape: Shape) -> int:
        """How many different writes it has in that shape."""
        return len(self.used) if shape == "new" and self.used else len(self.writes)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that cannot be carried: refused at the start, with its statement and a remedy."""

    name: str
    schema: str
    file: str
    says: str
    """Part of the message."""
    remedy: str
    """Part of the remedy."""
    since: int = 15
