"""CREATE FUNCTION and CREATE PROCEDURE: nothing runs, but what a body holds is said now."""

from __future__ import annotations

from shared.sql.bodies import atomic_statements, routine_source
from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.expressions import called, relations
from shared.sql.extensions import PACKAGED, SHIPPED
from shared.sql.forbidden import check_body
from shared.sql.forbidden_names import UNTRUSTED
from shared.sql.grammar import Node
from shared.sql.implied_calls import imply
from shared.sql.locks import Lock
from shared.sql.names import option, scalar, shown, split_name
from shared.sql.operations.routines import body_of
from shared.sql.schema_objects import Routine


def create_routine(ctx: Context, node: Node) -> None:
    procedure = bool(node.get("is_procedure"))
    operation = ctx.operation("CREATE_PROCEDURE" if procedure else "CREATE_FUNCTION")
    language, body = routine_source(node)
    schema, name = split_name(node.get("funcname"))
    made = Routine(
        schema=ctx.schema_for(schema),
        name=name,
        kind="procedure" if procedure else "function",
        arguments=_arguments(ctx, node, operation),
        returns=_returns(ctx, node, operation),
        volatility=scalar(option(node.get("options"), "volatility")) or "volatile",
        language=language,
        body=body,
        definition=ctx.step.statement.text if ctx.step is not None else "",
        new=not ctx.building,
    )
    _replace(ctx, made, node)
    parameters = [each["FunctionParameter"] for each in node.get("parameters", ())]
    imply(ctx, "parameter", name, called(*(p["defexpr"] for p in parameters if "defexpr" in p)))
    if not ctx.building:
        _look_inside(ctx, made, node, operation)


def _arguments(ctx: Context, node: Node, operation: Operation) -> tuple[str, ...]:
    found = []
    for wrapped in node.get("parameters", ()):
        parameter = wrapped["FunctionParameter"]
        type_ = ctx.type_of(parameter["argType"], operation)
        if parameter.get("mode") not in ("FUNC_PARAM_OUT", "FUNC_PARAM_TABLE"):
            found.append(str(type_))
    return tuple(found)


def _returns(ctx: Context, node: Node, operation: Operation) -> str:
    given = node.get("returnType")
    if given is None:
        return ""
    text = str(ctx.type_of(given, operation))
    return f"setof {text}" if given.get("setof") else text


def _replace(ctx: Context, made: Routine, node: Node) -> None:
    known = ctx.catalog.routines.setdefault((made.schema, made.name), [])
    for old in known:
        if old.arguments != made.arguments:
            continue
        if not node.get("replace"):
            ctx.error(
                "catalog",
                f"function {shown(made.schema, made.name)}({', '.join(made.arguments)}) "
                "already exists",
                remedy="CREATE OR REPLACE, or drop the old one first",
            )
        elif old.returns and made.returns and old.returns != made.returns:
            ctx.error(
                "catalog",
                f"cannot change the return type of {shown(made.schema, made.name)}() "
                f"from {old.returns} to {made.returns}",
                remedy="drop the function first, in the same file",
            )
        known.remove(old)
        made.new = old.new
        break
    known.append(made)
    ctx.catalog.watched = bool(ctx.catalog.event_triggers)


def _look_inside(ctx: Context, made: Routine, node: Node, operation: Operation) -> None:
    """Creating runs nothing; but a body that is wrong, or does what is forbidden, is said now."""
    if made.language in UNTRUSTED:
        return
    if "sql_body" in node:
        _analyse(ctx, atomic_statements(node), operation)
        return
    if made.language not in ("sql", "plpgsql", ""):
        _check_language(ctx, made.language)
    body = body_of(ctx, made)
    if body is not None:
        check_body(ctx, body)
        if made.language == "sql" and ctx.setting("check_function_bodies") not in ("off", "false"):
            for part in body.parts:
                with ctx.in_body(part.line):
                    _analyse(ctx, part.trees(), operation)


def _check_language(ctx: Context, language: str) -> None:
    if ctx.catalog.complete and language not in ctx.catalog.extensions:
        if language in SHIPPED | PACKAGED:
            ctx.require(language, f"language {language}", None)
        else:
            ctx.error("catalog", f'language "{language}" does not exist')


def _analyse(ctx: Context, trees: list[Node], operation: Operation) -> None:
    """A body in SQL is analysed when it is made: what it names must be there."""
    for raw in trees:
        for tag, node in raw["stmt"].items():
            if tag not in _ANALYSED:
                continue
            written = node.get("relation")
            for each in relations(node):
                mode = Lock.ROW_EXCLUSIVE if each is written else Lock.ACCESS_SHARE
                operation.lock(ctx.relation(each), mode)


_ANALYSED = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
