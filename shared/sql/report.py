"""What validation answers: the guide's names first (isValid, operations, warnings, errors).

Plain dataclasses: the command line starts without the model builder. `as_json` is the wire form.
What a long file has by the thousand is not frozen: that alone would take as long as its rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

from shared.domain.kinds import Kind, Risk
from shared.sql.findings import ErrorKind
from shared.sql.one_transaction import InOneTransaction
from shared.sql.plan import Group


@dataclass(slots=True)
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


@dataclass(slots=True)
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


@dataclass(slots=True)
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
    kind = type(value)
    if kind is tuple or kind is list:
        return [each if type(each) in _PLAIN else _wire(each) for each in value]
    if kind in _PLAIN:
        return value
    if kind is dict:
        return dict(value)
    if kind is Kind or kind is Risk:
        return value.value
    of: Any = kind
    names, values, others = _shape(of)
    found = dict(zip(names, values(value), strict=True))
    for name in others:
        found[name] = _wire(found[name])
    return found


_PLAIN = frozenset({str, int, bool, float, type(None)})


@lru_cache
def _shape(kind: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]], tuple[str, ...]]:
    """Of a dataclass: its fields' names on the wire, what reads all of them at once, and those
    that may hold more than a text or a number."""
    every = fields(kind)
    read = attrgetter(*(each.name for each in every))
    others = [each.name for each in every if each.type not in _PLAIN_TYPES]
    return (
        tuple(_camel(each.name) for each in every),
        read if len(every) > 1 else lambda one: (read(one),),
        tuple(map(_camel, others)),
    )


_PLAIN_TYPES = ("str", "int", "bool", "str | None", "ErrorKind")
"""As the dataclasses above write them."""


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
