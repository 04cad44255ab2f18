"""A rollback point: what was kept before a migration, and the manifest that proves it.

A point is one schema part and, for the scopes `affected` and `full`, one data part beside it:

    rollback-<migration-id>-<timestamp>.sql[.zst][.age]        the schema
    rollback-<migration-id>-<timestamp>.data.sql[.zst][.age]   rows, to be loaded after it
    rollback-<migration-id>-<timestamp>.json                   the manifest

It is `verified` only after both were read back, decrypted, restored elsewhere and counted.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.environment import Colour
from shared.domain.kinds import BackupScope

MANIFEST_VERSION = 1
PREFIX = "rollback-"
PartKind = Literal["schema", "data"]


class Part(BaseModel):
    """One file of a point. `plain` is the SQL text, `stored` the bytes on disk."""

    model_config = ConfigDict(frozen=True)

    kind: PartKind
    file: str
    """Name inside the backup directory."""
    plain_bytes: int
    plain_sha256: str
    stored_bytes: int
    stored_sha256: str
    rows: dict[str, int] = Field(default_factory=dict)
    """Rows that pg_dump wrote, by qualified table name as it stands in the SQL text."""


class Manifest(BaseModel):
    """What stands beside the files of one rollback point."""

    model_config = ConfigDict(frozen=True)

    version: int = MANIFEST_VERSION
    name: str
    """File name without any suffix."""
    job: str
    database: str
    colour: Colour
    """The side that was dumped."""
    scope: BackupScope
    taken_at: datetime
    server_version: str
    pg_dump_version: str
    lsn: str
    """WAL position of the dumped side just before the dump."""
    schema_digest: str
    """SHA-256 of the definitions, without comments and settings of the dumping session."""
    encoding: str = "UTF8"
    locale: dict[str, str] = Field(default_factory=dict)
    """`provider` (`c`, `i`, `b`), `collate`, `ctype`, `locale` of the dumped database."""
    roles: tuple[str, ...] = ()
    """Roles that the text names: they must exist where it is restored."""
    tables: tuple[str, ...] = ()
    """Tables whose rows belong to the point; empty with scope `schema`, all with `full`."""
    parts: tuple[Part, ...] = ()
    verified_at: datetime | None = None
    unused: bool = False
    """The job was undone before it changed anything: prune may take it first."""

    def part(self, kind: PartKind) -> Part | None:
        return next((part for part in self.parts if part.kind == kind), None)

    @property
    def wants_data(self) -> bool:
        return self.scope in ("affected", "full")

    @property
    def complete(self) -> bool:
        """Whether every part that the scope asks for was written to its end."""
        return self.part("schema") is not None and (
            not self.wants_data or self.part("data") is not None
        )

    @property
    def rows(self) -> int:
        return sum(sum(part.rows.values()) for part in self.parts)

    @property
    def plain_bytes(self) -> int:
        return sum(part.plain_bytes for part in self.parts)

    @property
    def stored_bytes(self) -> int:
        return sum(part.stored_bytes for part in self.parts)

    def with_part(self, part: Part) -> Manifest:
        others = tuple(other for other in self.parts if other.kind != part.kind)
        return self.model_copy(update={"parts": (*others, part), "verified_at": None})

    def without_data(self) -> Manifest:
        kept = tuple(part for part in self.parts if part.kind != "data")
        return self.model_copy(update={"parts": kept, "verified_at": None})


def point_name(job: str, at: datetime) -> str:
    """`rollback-20261123-7f3a-20261123T114501Z`; `at` is aware, UTC."""
    return f"{PREFIX}{job}-{at:%Y%m%dT%H%M%SZ}"


def part_file(name: str, kind: PartKind, *, encrypted: bool) -> str:
    middle = ".data" if kind == "data" else ""
    return f"{name}{middle}.sql.zst" + (".age" if encrypted else "")


def manifest_file(name: str) -> str:
    return f"{name}.json"


def name_of(file: str) -> str:
    """The point that a file of the backup directory belongs to: what stands before the first dot.

    Raises ValueError for a file that is no rollback point's.
    """
    name, dot, _ = file.partition(".")
    if not dot or not name.startswith(PREFIX):
        raise ValueError(f"expected a file {PREFIX}<job>-<time>.sql..., found {file!r}")
    return name
