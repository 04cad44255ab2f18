"""What does not belong into a migration: acts on the server, its files, other servers, or us.

Checked on every tree, wherever it stands: the file itself, DO blocks, function bodies, the text of
EXECUTE, the arguments of functions that run SQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from shared.domain.objects import STANDING
from shared.sql import grammar
from shared.sql.bodies import Body, read_body, routine_source
from shared.sql.context import Context
from shared.sql.folding import PLACEHOLDER, fold
from shared.sql.forbidden_names import OURS, RUN_TEXT, SECRETS, SETTINGS, STATEMENTS, is_suspect
from shared.sql.forbidden_statements import BY_STATEMENT, is_of_the_server
from shared.sql.grammar import Node, SyntaxProblem
from shared.sql.names import scalar, split_name

LOOKED_AT = frozenset({*STATEMENTS, *BY_STATEMENT})
"""Statements that are looked at whatever their text holds."""


def check(ctx: Context, tag: str, node: Node, *, suspect: bool) -> None:
    """Every reason why this statement, or anything inside it, is refused.

    `suspect`: its text holds something of what is refused, or may hide it (is_suspect).
    """
    if ctx.building:
        return
    for why, at in _reasons(tag, node, suspect=suspect):
        ctx.error("forbidden", why, at=at, remedy=_remedy(why))


def check_body(ctx: Context, body: Body, depth: int = 0) -> None:
    """The same for every statement of a body, at the body's own lines; bodies inside it too."""
    for line in body.hidden:
        with ctx.in_body(line):
            why = "EXECUTE of a text that is put together so that nobody can read it"
            ctx.error("forbidden", why, remedy="write the statement, or format('..', names)")
    for part in body.parts:
        try:
            trees = part.trees()
        except SyntaxProblem:
            continue
        suspect = is_suspect(part.text)
        for raw in trees:
            for tag, node in raw["stmt"].items():
                if suspect or tag in LOOKED_AT:
                    with ctx.in_body(part.line):
                        check(ctx, tag, node, suspect=suspect)
                        if tag in ("CreateFunctionStmt", "DoStmt") and depth < _DEPTH:
                            _check_inner(ctx, node, part.text, depth)


_DEPTH = 8


def _check_inner(ctx: Context, node: Node, definition: str, depth: int) -> None:
    language, text = routine_source(node)
    with suppress(SyntaxProblem):
        check_body(ctx, read_body(language, text or "", definition), depth + 1)


def _remedy(why: str) -> str:
    if why.startswith("standard_conforming_strings"):
        return "leave it on, and write backslashes in E'..' strings"
    return "take it out of the migration: an administrator does it, if it must be done"


def _reasons(tag: str, node: Node, *, suspect: bool) -> Iterator[tuple[str, int | None]]:
    if tag in STATEMENTS:
        yield STATEMENTS[tag], None
    if tag in BY_STATEMENT:
        yield from BY_STATEMENT[tag](node)
    if suspect:
        yield from _inside({tag: node})


def _inside(tree: Any) -> Iterator[tuple[str, int | None]]:
    """Calls, settings and names of ours anywhere below."""
    stack = [tree]
    while stack:
        each = stack.pop()
        if type(each) is list:
            stack.extend(each)
            continue
        if "funcname" in each:
            yield from _call(each)
        if "name" in each and str(each.get("kind", "")).startswith("VAR_SET"):
            yield from _setting(each["name"], each)
        if not _NAMING.isdisjoint(each):
            yield from _our_names(each)
        stack.extend([value for value in each.values() if type(value) in _NESTED])


_NESTED = frozenset({dict, list})
_NAMING = frozenset(
    {"relname", "schemaname", "objects", "items", "objname", "rolename", "role"}
    | {"removeType", "trigname"}
)
"""Fields in which an object of ours may be named."""


def _setting(name: str, node: Node) -> Iterator[tuple[str, int | None]]:
    why = SETTINGS.get(name.lower())
    if not why or str(node.get("kind", "")).startswith(("VAR_RESET", "VAR_SET_DEFAULT")):
        return
    value = scalar(node.get("args", [{}])[0]) if node.get("args") else None
    if name.lower() == "standard_conforming_strings" and str(value).lower() in ("on", "true", "1"):
        return
    if name.lower() == "event_triggers" and str(value).lower() in ("on", "true", "1"):
        return
    at = node.get("location", 0)
    yield why, at if at > 0 else None


def _call(call: Node) -> Iterator[tuple[str, int | None]]:
    schema, name = split_name(call.get("funcname"))
    at = call.get("location")
    arguments = call.get("args", ())
    if schema in OURS:
        yield f"{schema}.{name}() belongs to the migrator", at
    elif is_of_the_server(name) and schema in (None, "pg_catalog", "public", "extensions"):
        yield f"{name}() acts on the server, its files or another server", at
    elif name == "set_config" and arguments:
        setting = str(fold(arguments[0]) or "").lower()
        value = fold(arguments[1]) if len(arguments) > 1 else None
        if setting == PLACEHOLDER or not setting:
            yield "set_config() of a setting whose name cannot be seen", at
        elif SETTINGS.get(setting) and str(value).lower() not in ("on", "true", "1"):
            yield SETTINGS[setting], at
    elif name in RUN_TEXT and arguments:
        yield from _run_text(fold(arguments[0]), at)


def _run_text(text: str | None, at: int | None) -> Iterator[tuple[str, int | None]]:
    try:
        trees = grammar.parse((text or "").encode())
    except SyntaxProblem:
        return
    for raw in trees:
        for tag, node in raw["stmt"].items():
            inside = _reasons(tag, node, suspect=is_suspect(text or ""))
            yield from ((why, at) for why, _ in inside)


def _our_names(body: Node) -> Iterator[tuple[str, int | None]]:
    """Objects of the migrator itself, whether a field names them or a list of words."""
    if body.get("relname") in SECRETS:
        yield f"{body['relname']} holds passwords or the server's files", body.get("location")
    if body.get("schemaname") in OURS:
        yield f"the schema {STANDING} belongs to the migrator", body.get("location")
    for items in (body.get("objects"), body.get("items"), body.get("objname")):
        for each in items or ():
            if isinstance(each, dict) and scalar(each) in OURS:
                yield f"the schema {STANDING} belongs to the migrator", None
    yield from _our_triggers(body)
    name = body.get("rolename", body.get("role"))
    if isinstance(name, str) and name.startswith("bg_"):
        yield "roles called bg_.. belong to the migrator", body.get("location")


def _our_triggers(body: Node) -> Iterator[tuple[str, int | None]]:
    dropped = body.get("removeType") in ("OBJECT_EVENT_TRIGGER", "OBJECT_PUBLICATION")
    names = [str(scalar(each)) for each in body.get("objects", ())] if dropped else []
    if any(name.startswith("bluegreen") for name in [*names, str(body.get("trigname", ""))]):
        yield "what is called bluegreen_.. belongs to the migrator", None
