"""How everything was when a block or a SAVEPOINT began, and which statements were undone since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.sql.catalog import Catalog
from shared.sql.locks import Lock
from shared.sql.parse import Statement
from shared.sql.schema_objects import Key
from shared.sql.source import Source

KEPT = 50_000
"""Objects that the copies of one file's catalogs may hold together: about two seconds."""


@dataclass(slots=True)
class Savepoint:
    name: str
    """Empty for the begin of the block."""
    statement: int
    """Index of the statement; what stands behind it is undone."""
    held: dict[str, Lock]
    catalog: Catalog | None
    """None where there were too many to keep."""
    settings: dict[str, str]
    local_settings: dict[str, str]
    path: list[str]
    outer_path: list[str] | None
    new_columns: set[tuple[Key, str]]


@dataclass(slots=True)
class Savepoints:
    """Of the block that is open; the block's own begin is the first."""

    open: list[Savepoint] = field(default_factory=list)
    undone: set[int] = field(default_factory=set)
    """Indexes of the file's statements of which nothing stays, though their block is committed."""
    needed: bool | None = None
    """Whether the file may go back to anything; None until a block begins."""
    kept: int = 0
    read: Sequence[Statement] = ()
    """The file's statements as far as they are read, which is some way ahead."""

    def may_come(self, kind: str, here: int) -> bool:
        """Whether `ROLLBACK` or `ROLLBACK_TO` may be the block's, behind the statement `here`: it
        is, or the end of the block is not read yet."""
        for at in range(here + 1, len(self.read)):
            if self.read[at].tag == "TransactionStmt":
                found = self.read[at].node["kind"].removeprefix("TRANS_STMT_")
                if found == kind or found in ("COMMIT", "ROLLBACK"):
                    return bool(found == kind)
        return True

    def may_go_back(self, source: Source) -> bool:
        if self.needed is None:
            self.needed = b"rollback" in source.lowered or b"abort" in source.lowered
        return self.needed

    def keep(self, catalog: Catalog, beside: int) -> Catalog | None:
        """How it is now; None when the file has asked for too much, with `beside` more objects."""
        size = len(catalog.relations) + len(catalog.indexes) + len(catalog.types)
        self.kept += 1 + size + beside
        return catalog.kept() if self.kept <= KEPT else None

    def named(self, name: str) -> int | None:
        """Place of the newest savepoint of that name; None when none is open."""
        places = range(len(self.open) - 1, 0, -1)
        return next((at for at in places if self.open[at].name == name), None)
