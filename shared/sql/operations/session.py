"""SET: what holds for the statements after it."""

from __future__ import annotations

import re
from functools import lru_cache

from shared.sql.builtins import settings
from shared.sql.context import Context
from shared.sql.grammar import Node
from shared.sql.names import scalar
from shared.sql.words import words

_UNITS_MS = {"": 1.0, "us": 0.001, "ms": 1.0, "s": 1e3, "min": 6e4, "h": 3.6e6, "d": 8.64e7}
_DURATION = re.compile(r"\s*(\d+(?:\.\d*)?)\s*([a-z]*)\s*")


def set_variable(ctx: Context, node: Node) -> None:
    ctx.operation("SET")
    name = node.get("name", "").lower()
    kind = node.get("kind", "")
    if kind in ("VAR_SET_MULTI", "VAR_RESET_ALL"):
        if kind == "VAR_RESET_ALL":
            ctx.settings.clear()
            look_in(ctx, ["public"])
        return
    _check_name(ctx, name, node)
    values = [str(value) for value in map(scalar, node.get("args", ())) if value is not None]
    if kind in ("VAR_RESET", "VAR_SET_DEFAULT"):
        values = []
    _check_value(ctx, name, values, node)
    apply_setting(ctx, name, values, local=bool(node.get("is_local")))


def apply_setting(ctx: Context, name: str, values: list[str], *, local: bool) -> None:
    """From here on, to the end of the block when `local`."""
    if local and not ctx.block and not ctx.body_depth:
        return
    if local:
        ctx.local_settings[name] = ", ".join(values)
    else:
        ctx.settings[name] = ", ".join(values)
    if name == "search_path":
        _search_path(ctx, values, local=local)


def _check_value(ctx: Context, name: str, values: list[str], node: Node) -> None:
    if name.endswith("_timeout") and len(values) == 1:
        match = _DURATION.fullmatch(values[0].lower())
        if values[0] not in ("-1",) and (match is None or match[2] not in _UNITS_MS):
            ctx.error(
                "catalog",
                f'invalid value for parameter "{name}": "{values[0]}"',
                remedy="a number with a unit: '2s', '500ms', '1min'",
            )


def _search_path(ctx: Context, values: list[str], *, local: bool) -> None:
    if local and ctx.block and ctx.outer_path is None:
        ctx.outer_path = list(ctx.path)
    named = [each.strip('" ') for each in values]
    given = [each for each in named if each and each != "$user"]
    look_in(ctx, given if given or values == [""] else ["public"])


def look_in(ctx: Context, path: list[str]) -> None:
    """Temporary tables are found first, unless the path says where."""
    ctx.path[:] = path
    if "pg_temp" not in path and any(key[0] == "pg_temp" for key in ctx.catalog.relations):
        ctx.path.insert(0, "pg_temp")


def _check_name(ctx: Context, name: str, node: Node) -> None:
    known = settings()
    if "." in name:
        return
    if name not in known and name not in _SPECIAL:
        ctx.error("catalog", f'unrecognized configuration parameter "{name}"')
    elif known.get(name, 0) > ctx.version:
        ctx.error(
            "version",
            f"the setting {name} came with PostgreSQL {known[name]}; the server is {ctx.version}",
        )


_SPECIAL = words("""
    role session_authorization names time_zone xmloption seed transaction_isolation
    session_characteristics timezone""")


def lock_timeout_ms(ctx: Context) -> float:
    """The lock_timeout in force, 0 when there is none."""
    text = ctx.setting("lock_timeout")
    return _milliseconds(text.lower()) if text else 0.0


@lru_cache
def _milliseconds(text: str) -> float:
    match = _DURATION.fullmatch(text)
    return float(match[1]) * _UNITS_MS.get(match[2], 1.0) if match else 0.0
