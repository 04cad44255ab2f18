"""What validation answers: the guide's names first (isValid, operations, warnings, errors).

Plain dataclasses: the command line starts without the model builder. `as_json` is the wire form.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from shared.domain.kinds import Kind, Risk
from shared.sql.context import ErrorKind
from shared.sql.one_transaction import InOneTransaction
from shared.sql.plan import Group


@dataclass(frozen=True, slots=True)
class OperationReport:
    type: str
    statement: str
    """As written."""
    risk_level: Risk
    line: int
    column: int
    tables: tuple[str, ...] = ()
    lock: str | None = None
    """Strongest mode on any table, as pg_locks names it."""
    rewrites_table: bool = False
    scans_table: bool = False
    blocks_reads: bool = False
    blocks_writes: bool = False
    destructive: bool = False
    requires: tuple[str, ...] = ()
    """Extensions."""
    rules: tuple[str, ...] = ()
    advice: str = ""
    rewrite: str = ""
    """The safe form as SQL that can be pasted; empty when there is none."""


@dataclass(frozen=True, slots=True)
class Warning:
    rule: str
    message: str
    line: int
    column: int
    risk_level: Risk
    remedy: str = ""
    rewrite: str = ""
    allowed: str = ""
    """The reason given in an `allow` directive; empty when nobody allowed it."""


@dataclass(frozen=True, slots=True)
class Error:
    kind: ErrorKind
    message: str
    line: int
    column: int
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """One reason why the file needs its type."""

    migration_type: Kind
    why: str
    line: int
    column: int
    statement: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    is_valid: bool
    operations: tuple[OperationReport, ...]
    warnings: tuple[Warning, ...]
    errors: tuple[Error, ...]
    risk_level: Risk
    migration_type: Kind
    """What the file needs, whatever was claimed."""
    server_version: int
    file: str
    rewrites_tables: tuple[str, ...] = ()
    locks: dict[str, str] = field(default_factory=dict)
    """Table -> strongest mode."""
    blocks_reads_of: tuple[str, ...] = ()
    blocks_writes_of: tuple[str, ...] = ()
    destructive: bool = False
    bulk_dml: bool = False
    breaks_clients: bool = False
    requires_extensions: tuple[str, ...] = ()
    lock_timeout_set: bool = False
    needs: tuple[Need, ...] = ()
    not_seen: tuple[str, ...] = ()
    """What could not be seen, and what was taken for granted instead."""
    plan: tuple[Group, ...] = ()
    in_one_transaction: InOneTransaction | None = None
    """The facts that a runner would meet which wraps the file in BEGIN and COMMIT."""

    def as_json(self) -> dict[str, Any]:
        """The report as JSON: names in camelCase, the plan's groups as transactions."""
        found: dict[str, Any] = _wire(self)
        return found


def _wire(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_wire(each) for each in value]
    if isinstance(value, dict):
        return dict(value)
    if hasattr(value, "__dataclass_fields__"):
        return {_camel(f.name): _wire(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Kind | Risk):
        return value.value
    return value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
