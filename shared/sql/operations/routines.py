"""Functions and procedures: made, and followed where the file runs them (DO, CALL, SELECT f())."""

from __future__ import annotations

from shared.domain.kinds import Kind
from shared.sql.bodies import Body, atomic_statements, read_body, routine_source
from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.expressions import calls, relations
from shared.sql.extensions import PACKAGED, SHIPPED
from shared.sql.folding import fold
from shared.sql.forbidden import check_body
from shared.sql.forbidden_names import UNTRUSTED
from shared.sql.grammar import Node, SyntaxProblem
from shared.sql.locks import Lock, gather
from shared.sql.names import option, scalar, shown, split_name
from shared.sql.nested import run_part
from shared.sql.operations.routine_constants import constants_of, declared
from shared.sql.schema_objects import Routine

FOLLOW_DEPTH = 5


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


def _look_inside(ctx: Context, made: Routine, node: Node, operation: Operation) -> None:
    """Creating runs nothing; but a body that is wrong, or does what is forbidden, is said now."""
    if made.language in UNTRUSTED:
        return
    if "sql_body" in node:
        _analyse(ctx, atomic_statements(node), operation)
        return
    if made.language not in ("sql", "plpgsql", ""):
        _check_language(ctx, made.language)
    body = _body(ctx, made)
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


def _body(
    ctx: Context, routine: Routine, event: str = "", given: tuple[str | None, ...] = ()
) -> Body | None:
    try:
        return read_body(routine.language, routine.body or "", routine.definition, event, given)
    except SyntaxProblem as problem:
        ctx.error("syntax", f"in {routine.name}(): {problem.message}")
        return None


def do(ctx: Context, node: Node) -> None:
    operation = ctx.operation("DO")
    language, text = routine_source(node)
    if language in UNTRUSTED:
        return
    if language != "plpgsql":
        unseen(operation, f"a DO block in {language}")
        return
    assert ctx.step is not None
    try:
        body = read_body("plpgsql", text or "", ctx.step.statement.text)
    except SyntaxProblem as problem:
        ctx.error("syntax", f"in the DO block: {problem.message}")
        return
    check_body(ctx, body)
    _run(ctx, body, operation, declared(body))


def call(ctx: Context, node: Node) -> None:
    operation = ctx.operation("CALL")
    schema, name = split_name(node["funccall"].get("funcname"))
    known = ctx.catalog.routines_named(schema, name, ctx.path)
    if not known:
        if ctx.catalog.complete:
            ctx.error("catalog", f"procedure {shown(schema, name)}() does not exist")
        unseen(operation, f"the procedure {shown(schema, name)}()")
        return
    for routine in known[:1]:
        follow(ctx, routine, operation, given=_given(node["funccall"]), call_=node["funccall"])


def _given(call: Node) -> tuple[str | None, ...]:
    """Its arguments as far as they are constant; none where they are given by name."""
    arguments = call.get("args", ())
    if any("NamedArgExpr" in each for each in arguments):
        return ()
    return tuple(fold(each) for each in arguments)


def follow_calls(ctx: Context, node: Node, operation: Operation) -> None:
    """Follow the user's own functions that a statement calls."""
    for each in calls(node):
        schema, name = split_name(each.get("funcname"))
        if schema == "pg_catalog":
            continue
        known = ctx.catalog.routines_named(schema, name, ctx.path)
        alone = each if len(known) == 1 and _is_all(node, each) else None
        for routine in known:
            seen = routine.volatility == "stable" and routine.language in ("sql", "plpgsql")
            if seen or routine.volatility == "volatile":
                follow(ctx, routine, operation, given=_given(each), call_=alone)


def _is_all(node: Node, call: Node) -> bool:
    """Whether a statement is SELECT f(..), which calls it once."""
    targets = node.get("targetList", ())
    if len(targets) != 1 or node.keys() & {"relation", "fromClause"}:
        return False
    return targets[0]["ResTarget"].get("val", {}).get("FuncCall") is call


def follow(
    ctx: Context,
    routine: Routine,
    operation: Operation,
    event: str = "",
    given: tuple[str | None, ...] = (),
    transitions: frozenset[str] = frozenset(),
    call_: Node | None = None,
) -> None:
    """`event`: what fires it, if it is a trigger's function, and `transitions`: the names that the
    trigger gives to the changed rows; `given`: what it is called with; `call_`: the
    call, where the statement is nothing else and runs it once."""
    name = shown(routine.schema, routine.name)
    if name in ctx.running or len(ctx.running) >= FOLLOW_DEPTH or _stands_still(ctx):
        return
    if routine.language not in ("sql", "plpgsql"):
        unseen(operation, f"{name}() in language {routine.language or 'unknown'}")
        return
    body = _body(ctx, routine, event, given)
    if body is None:
        return
    constants = constants_of(ctx, routine, body, call_)
    outer, ctx.transitions = ctx.transitions, transitions
    ctx.running.append(name)
    try:
        _run(ctx, body, operation, constants)
    finally:
        ctx.running.pop()
        ctx.transitions = outer


def _stands_still(ctx: Context) -> bool:
    """A schema file only defines; EXPLAIN and PREPARE only plan."""
    return ctx.building or ctx.planning


def _run(
    ctx: Context, body: Body, operation: Operation, constants: dict[str, tuple[str, Node]]
) -> None:
    if body.commits and ctx.step is not None:
        ctx.step.outside_block = True
    for line in body.opaque:
        unseen(operation, f"the text of EXECUTE in line {line} of the body")
    outer = ctx.constants
    for part in body.parts:
        ctx.constants = {} if part.dynamic else constants
        for inner in run_part(ctx, part):
            merge(operation, inner)
            if part.dynamic and inner.type not in ("SELECT", "COMMENT", "GRANT", "REVOKE"):
                unseen(operation, "a statement put together at run time")
    ctx.constants = outer


def merge(operation: Operation, inner: Operation) -> None:
    """What a statement inside a body does is done by the statement that runs the body."""
    gather(operation.locks, inner.locks)
    operation.indexes_held |= inner.indexes_held
    operation.related = operation.related or inner.related
    operation.not_written |= inner.not_written
    operation.scans |= inner.scans
    operation.rewrites |= inner.rewrites
    operation.notes |= inner.notes
    operation.destroys += inner.destroys
    operation.bulk += inner.bulk
    operation.breaks += inner.breaks
    operation.reasons += inner.reasons
    operation.gone += inner.gone
    for name in inner.tables:
        if name not in operation.tables:
            operation.tables.append(name)
    for extension in inner.extensions:
        if extension not in operation.extensions:
            operation.extensions += (extension,)


def unseen(operation: Operation, what: str) -> None:
    operation.note("unseen")
    operation.needs(
        Kind.RISKY,
        f"{what} cannot be looked into, so it is not known to be safe",
        "write the statements out, so that they can be checked",
    )
