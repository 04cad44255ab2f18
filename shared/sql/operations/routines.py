"""Functions and procedures, followed where the file runs them (DO, CALL, SELECT f())."""

from __future__ import annotations

from shared.domain.kinds import Kind
from shared.sql.bodies import Body, read_body, routine_source
from shared.sql.body_parts import Part
from shared.sql.builtins import functions
from shared.sql.context import Context
from shared.sql.effects import NONE, Operation
from shared.sql.expressions import calls, check_calls
from shared.sql.extensions import FUNCTIONS
from shared.sql.folding import PLACEHOLDER, fold
from shared.sql.forbidden import check_body
from shared.sql.forbidden_names import RUN_TEXT, UNTRUSTED
from shared.sql.grammar import Node, SyntaxProblem
from shared.sql.implied_calls import implied_by, implied_by_text
from shared.sql.locks import gather
from shared.sql.mentions import mentions
from shared.sql.names import shown, split_name
from shared.sql.nested import run_part
from shared.sql.operations.routine_constants import constants_of, declared
from shared.sql.schema_objects import Routine

FOLLOW_DEPTH = 5


def body_of(
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
    follow_behind(ctx, implied_by_text(ctx, text or ""), operation)
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
    arguments = {"args": node["funccall"].get("args", [])}
    check_calls(ctx, arguments, operation)
    follow_calls(ctx, arguments, operation)
    for routine in known[:1]:
        follow(ctx, routine, operation, given=_given(node["funccall"]), call_=node["funccall"])


def _given(call: Node) -> tuple[str | None, ...]:
    """Its arguments as far as they are constant; none where they are given by name."""
    arguments = call.get("args", ())
    if any("NamedArgExpr" in each for each in arguments):
        return ()
    return tuple(fold(each) for each in arguments)


def follow_calls(ctx: Context, node: Node, operation: Operation) -> None:
    """Follow the user's own functions that a statement calls, or runs without calling them."""
    for each in calls(node):
        schema, name = split_name(each.get("funcname"))
        if name in RUN_TEXT:
            _run_text(ctx, name, each, operation)
        elif name in _ACTING and not _stands_still(ctx):
            _act(name, each, operation)
        if schema == "pg_catalog":
            continue
        known = ctx.catalog.routines_named(schema, name, ctx.path)
        alone = each if len(known) == 1 and _is_all(node, each) else None
        for routine in known:
            if routine.volatility == "volatile" or routine.language in ("sql", "plpgsql"):
                follow(ctx, routine, operation, given=_given(each), call_=alone)
    behind = implied_by(ctx, node)
    if behind:
        follow_behind(ctx, behind, operation)
    if not ctx.catalog.complete and not ctx.planning:
        _strange(ctx, node, behind, operation)


def _strange(ctx: Context, node: Node, behind: frozenset[str], operation: Operation) -> None:
    """Without a schema: a function or operator that neither the server brings nor the file makes
    may do anything."""
    for each in calls(node):
        schema, name = split_name(each.get("funcname"))
        if ctx.catalog.routines_named(schema, name, ctx.path) or name in FUNCTIONS:
            continue
        if schema not in (None, "pg_catalog") or name not in functions():
            unseen(operation, f"the function {shown(schema, name)}()")
    for each in mentions(node).operators:
        schema, name = split_name(each.get("name"))
        if schema not in _OPERATORS and ("operator", name) not in ctx.catalog.implied:
            unseen(operation, f"the operator {schema}.{name}")
    for name in _nowhere(ctx, behind) if behind else ():
        unseen(operation, f"the function {name}()")


_OPERATORS = (None, "pg_catalog", "public", "extensions")
"""Schemas whose operators come from the server or from extensions, mostly."""


_LARGE_OBJECTS = frozenset({"lo_unlink", "lo_truncate", "lo_truncate64", "lo_put", "lowrite"})
_WAITING = frozenset(
    {"pg_sleep", "pg_sleep_for", "pg_sleep_until", "pg_advisory_lock", "pg_advisory_lock_shared"}
    | {"pg_advisory_xact_lock", "pg_advisory_xact_lock_shared"}
)
_ACTING = _LARGE_OBJECTS | _WAITING


def _act(name: str, call: Node, operation: Operation) -> None:
    """The server's own functions that lose data, or last as long as they like."""
    if name in _LARGE_OBJECTS:
        operation.destroys += (f"what {name}() overwrites or removes of large objects",)
    elif [fold(each) for each in call.get("args", ())] != ["0"]:
        operation.note("waits")


def _run_text(ctx: Context, name: str, call: Node, operation: Operation) -> None:
    """Follow the queries that a function is given as text."""
    arguments = call.get("args", [])
    if _stands_still(ctx) or name == "cursor_to_xml" or (name == "ts_rewrite" and arguments[2:]):
        return
    given = arguments[1:] if name == "ts_rewrite" else arguments[: 2 if name == "crosstab" else 1]
    for text in map(fold, given):
        if text is None or PLACEHOLDER in text:
            unseen(operation, f"the query that {name}() runs")
            continue
        for inner in run_part(ctx, Part(text, 1, dynamic=True)):
            merge(operation, inner)


def follow_behind(ctx: Context, names: frozenset[str], operation: Operation) -> None:
    """Follow the user's functions of these names that a statement does not call itself: those of a
    view, or of a DEFAULT. One in a language that nobody reads here only counts as not seen."""
    if not names or _stands_still(ctx) or (ctx.catalog.complete and not ctx.catalog.routines):
        return
    for name in names if ctx.catalog.renamed_routines else ():
        names |= _later_names(ctx, name)
    for key in [each for each in ctx.catalog.routines if each[1] in names]:
        for routine in ctx.catalog.routines[key]:
            if routine.language in ("sql", "plpgsql"):
                follow(ctx, routine, operation)
            elif routine.volatility == "volatile" and routine.name not in FUNCTIONS:
                ctx.cannot_see(f"what {shown(*key)}() does")
    if not ctx.catalog.complete:
        for name in _nowhere(ctx, names):
            ctx.cannot_see(f"what {name}() does")


def _later_names(ctx: Context, name: str) -> frozenset[str]:
    found, fresh = NONE, {name}
    while fresh:
        fresh = set(NONE.union(*(ctx.catalog.renamed_routines.get(n, NONE) for n in fresh)) - found)
        found |= fresh
    return found


def _nowhere(ctx: Context, names: frozenset[str]) -> list[str]:
    """Functions that neither the server brings nor an extension that is known, nor the file."""
    strange = [name for name in names if name not in functions() and name not in FUNCTIONS]
    made = {name for _, name in ctx.catalog.routines} if strange else set()
    return sorted(name for name in strange if name not in made)


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
    if name in ctx.running or _stands_still(ctx):
        return
    if len(ctx.running) >= FOLLOW_DEPTH:
        unseen(operation, f"{name}(), called through {FOLLOW_DEPTH} others,")
        return
    if routine.language not in ("sql", "plpgsql"):
        unseen(operation, f"{name}() in language {routine.language or 'unknown'}")
        return
    body = body_of(ctx, routine, event, given)
    if body is None:
        return
    constants = constants_of(ctx, routine, body, call_)
    outer, ctx.transitions = ctx.transitions, transitions
    ctx.running.append(name)
    try:
        if ctx.catalog.implied:
            text = f"{routine.definition}{routine.body}{routine.arguments}{routine.returns}"
            follow_behind(ctx, implied_by_text(ctx, text), operation)
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
    try:
        for part in body.parts:
            ctx.constants = {} if part.dynamic else constants
            for inner in run_part(ctx, part):
                merge(operation, inner)
                if part.dynamic and inner.type not in ("SELECT", "COMMENT", "GRANT", "REVOKE"):
                    unseen(operation, "a statement put together at run time")
    finally:
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
