"""ALTER TABLE actions that mark a column: NOT NULL, default, identity, generation expression."""

from __future__ import annotations

from shared.domain.kinds import Kind
from shared.sql.context import Context
from shared.sql.definitions import check_columns, check_default
from shared.sql.effects import Operation
from shared.sql.expressions import called, check_calls, columns
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import option, scalar, strings
from shared.sql.operations.inheritance import share_identity, with_children
from shared.sql.row_expressions import check_generation
from shared.sql.schema_objects import Column, Relation


def set_not_null(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("SET_NOT_NULL", relation)
    name = cmd["name"]
    operation.columns.append(name)
    family = ctx.family(relation)
    if not check_columns(ctx, relation, [name], None):
        return
    if ctx.only and relation.partition_key is not None:
        _check_partitions(ctx, relation, name)
    for member in family:
        operation.lock(member, Lock.ACCESS_EXCLUSIVE)
        column = (member.columns or {}).get(name)
        proven = (column is not None and column.not_null) or proven_not_null(ctx, member, name)
        inherited = member.bound is not None and member is not relation
        proven = proven or (inherited and proven_not_null(ctx, relation, name))
        if not proven and member.stored:
            operation.scan(member)
        if not proven:
            _now_valid(member, name)
        if column is not None:
            column.not_null = True
    if not operation.scans and relation.live:
        operation.note("proven")


def _now_valid(relation: Relation, name: str) -> None:
    """A NOT NULL constraint that was NOT VALID is checked with the rows."""
    for constraint in relation.constraints.values():
        if constraint.kind == "not null" and constraint.columns == (name,):
            constraint.valid = True


def _check_partitions(ctx: Context, relation: Relation, name: str) -> None:
    """ONLY the parent may be marked where each partition is already."""
    for child in (ctx.catalog.relations.get(key) for key in relation.children):
        column = (child.columns or {}).get(name) if child is not None else None
        if column is not None and not column.not_null:
            with_children(ctx, relation, f'NOT NULL of the column "{name}" of {relation.shown}')
            return


def proven_not_null(ctx: Context, relation: Relation, name: str) -> bool:
    """Whether a validated constraint already says that no row holds NULL there.

    One that the same ALTER TABLE drops does not count: drops come first in it (tablecmds.c).
    """
    dropped = _dropped_beside(ctx)
    for constraint in relation.constraints.values():
        if not constraint.valid or not constraint.enforced or constraint.name in dropped:
            continue
        if constraint.kind == "not null" and constraint.columns == (name,):
            return True
        if constraint.kind == "check" and implies_not_null(constraint.expression, name):
            return True
    return False


def _dropped_beside(ctx: Context) -> set[str]:
    """Constraints that the ALTER TABLE which is looked at drops."""
    node = ctx.step.statement.node if ctx.step is not None else {}
    commands = [each.get("AlterTableCmd", {}) for each in node.get("cmds", ())]
    return {c["name"] for c in commands if c.get("subtype") == "AT_DropConstraint"}


def implies_not_null(expression: Node | None, name: str) -> bool:
    """Whether a CHECK says `name IS NOT NULL`, alone or as one part of an AND."""
    if not expression:
        return False
    if test := expression.get("NullTest"):
        column = test.get("arg", {}).get("ColumnRef", {})
        names = strings(column.get("fields"))
        return test.get("nulltesttype") == "IS_NOT_NULL" and names[-1:] == [name]
    both = expression.get("BoolExpr", {})
    if both.get("boolop") == "AND_EXPR":
        return any(implies_not_null(arg, name) for arg in both.get("args", ()))
    return False


def drop_not_null(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("DROP_NOT_NULL", relation)
    operation.lock_all(ctx.family(relation), Lock.ACCESS_EXCLUSIVE)
    column = _known(ctx, relation, cmd["name"], operation)
    for constraint in relation.constraints.values():
        if constraint.kind == "primary key" and cmd["name"] in constraint.columns:
            ctx.error("catalog", f'column "{cmd["name"]}" is in a primary key')
    for parent in (ctx.catalog.relations.get(key) for key in relation.parents):
        theirs = (parent.columns or {}).get(cmd["name"]) if parent is not None else None
        bound_to_it = relation.bound is not None or ctx.version >= 18
        if parent is not None and theirs is not None and theirs.not_null and bound_to_it:
            ctx.error(
                "catalog",
                f'column "{cmd["name"]}" of {relation.shown} is NOT NULL because it is '
                f"in {parent.shown}",
                remedy=f"drop it in {parent.shown}",
            )
    if column is not None:
        column.not_null = False


def set_default(ctx: Context, relation: Relation, cmd: Node) -> None:
    """SET DEFAULT and DROP DEFAULT: new rows only."""
    given = cmd.get("def")
    operation = ctx.operation("SET_DEFAULT" if given else "DROP_DEFAULT", relation)
    family = ctx.family(relation)
    operation.lock_all(family, Lock.ACCESS_EXCLUSIVE)
    check_calls(ctx, given, operation)
    column = _known(ctx, relation, cmd["name"], operation)
    if column is None:
        return
    if column.generated or column.identity:
        what = "generated" if column.generated else "an identity column"
        ctx.error("catalog", f'column "{column.name}" of relation "{relation.shown}" is {what}')
        return
    check_default(ctx, column, given)
    for member in family:
        mine = (member.columns or {}).get(column.name)
        if mine is not None:
            mine.has_default, mine.default, mine.sequence = given is not None, given, None


def identity(ctx: Context, relation: Relation, cmd: Node) -> None:
    """ADD GENERATED .. AS IDENTITY, SET GENERATED / RESTART, DROP IDENTITY."""
    types = {
        "AT_AddIdentity": "ADD_IDENTITY",
        "AT_SetIdentity": "SET_IDENTITY",
        "AT_DropIdentity": "DROP_IDENTITY",
    }
    operation = ctx.operation(types[cmd["subtype"]], relation)
    shared = relation.partition_key is not None and ctx.version >= 17
    family = ctx.family(relation) if shared else [relation]
    operation.lock_all(family, Lock.ACCESS_EXCLUSIVE)
    column = _known(ctx, relation, cmd["name"], operation)
    if column is None:
        return
    if relation.bound is not None and ctx.version >= 17:
        ctx.error(
            "catalog",
            f'the identity of "{column.name}" of {relation.shown} is that of the partitioned table',
            remedy="change it there",
        )
        return
    adds = cmd["subtype"] == "AT_AddIdentity"
    if adds and not column.not_null:
        ctx.error(
            "catalog",
            f'column "{column.name}" of relation "{relation.shown}" must be NOT NULL '
            "before it can become an identity",
        )
    elif adds and (column.has_default or column.identity):
        ctx.error(
            "catalog",
            f'column "{column.name}" of relation "{relation.shown}" already has a default',
            remedy="drop the default first",
        )
    elif not adds and not column.identity and not cmd.get("missing_ok"):
        ctx.error(
            "catalog", f'column "{column.name}" of relation "{relation.shown}" is not an identity'
        )
    column.identity = column.has_default = cmd["subtype"] != "AT_DropIdentity"
    column.always = column.identity and _is_always(cmd, column.always)
    for member in family[1:]:
        share_identity(ctx, relation, member)


def _is_always(cmd: Node, before: bool) -> bool:
    given = cmd.get("def", {})
    if "Constraint" in given:
        return bool(given["Constraint"].get("generated_when") == "a")
    when = scalar(option(given.get("List", {}).get("items"), "generated"))
    return before if when is None else when == ord("a")


def drop_expression(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("DROP_EXPRESSION", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    column = _known(ctx, relation, cmd["name"], operation)
    if column is not None:
        if not column.generated and not cmd.get("missing_ok"):
            ctx.error("catalog", f'column "{column.name}" is not a generated column')
        column.generated, column.reads = "", frozenset()
    if relation.live:
        operation.needs(
            Kind.RISKY,
            f"{relation.label}.{cmd['name']} is no longer computed: clients must write it",
            "let the application write the column first",
        )


def set_expression(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("SET_EXPRESSION", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    if ctx.version < 17:
        ctx.error("version", f"SET EXPRESSION came with PostgreSQL 17; the server is {ctx.version}")
    column = _known(ctx, relation, cmd["name"], operation)
    family = ctx.family(relation)
    operation.lock_all(family, Lock.ACCESS_EXCLUSIVE)
    if column is None or column.generated != "v":
        operation.rewrite_all(family)
    if column is not None and not column.generated:
        ctx.error("catalog", f'column "{column.name}" is not a generated column')
    if column is not None:
        column.reads, column.calls = columns(cmd.get("def")), called(cmd.get("def"))
        check_columns(ctx, relation, sorted(column.reads), None)
        check_generation(ctx, column, relation.columns or {}, cmd.get("def"), None)


def _known(ctx: Context, relation: Relation, name: str, operation: Operation) -> Column | None:
    operation.columns.append(name)
    check_columns(ctx, relation, [name], None)
    return (relation.columns or {}).get(name)
