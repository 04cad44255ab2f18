"""INSERT, UPDATE, DELETE, MERGE, SELECT, COPY, TRUNCATE, LOCK: what they lock and change."""

from __future__ import annotations

from collections.abc import Iterator

from shared.sql.catalog import Relation
from shared.sql.context import Context
from shared.sql.definitions import check_columns, primary_key
from shared.sql.effects import Operation
from shared.sql.expressions import check_calls, columns, relations, walk
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import strings
from shared.sql.operations.queries import hold_read
from shared.sql.operations.routines import follow_calls
from shared.sql.operations.tables import create_table_as

CHANGES = {
    "InsertStmt": "INSERT",
    "UpdateStmt": "UPDATE",
    "DeleteStmt": "DELETE",
    "MergeStmt": "MERGE",
}


def change_rows(ctx: Context, tag: str, node: Node) -> None:
    operation = ctx.operation(CHANGES[tag])
    _change(ctx, tag, node, operation)


def select(ctx: Context, node: Node) -> None:
    if "intoClause" in node:
        create_table_as(ctx, {"query": {"SelectStmt": node}, "into": node["intoClause"]})
        return
    operation = ctx.operation("SELECT")
    _read(ctx, node, operation)
    if "lockingClause" in node:
        for source in relations(node):
            operation.lock(ctx.find(source), Lock.ROW_SHARE)
    _nested_changes(ctx, node, operation)


def _change(ctx: Context, tag: str, node: Node, operation: Operation) -> None:
    target = ctx.relation(node["relation"])
    if target is not None:
        operation.touch(target)
        for member in [target, *ctx.catalog.partitions_of(target)]:
            operation.lock(member, Lock.ROW_EXCLUSIVE)
        _foreign_keys(ctx, tag, node, target, operation)
    _read(ctx, node, operation)
    if target is None:
        return
    if tag == "InsertStmt":
        _insert(ctx, node, target, operation)
    elif tag == "UpdateStmt":
        _update(ctx, node, target, operation)
    elif tag == "DeleteStmt":
        _delete(ctx, node, target, operation)
    else:
        _merge(ctx, node, target, operation)
    _nested_changes(ctx, node, operation)


def _nested_changes(ctx: Context, node: Node, operation: Operation) -> None:
    """Data-changing statements inside WITH."""
    for wrapped in node.get("withClause", {}).get("ctes", ()):
        query = wrapped["CommonTableExpr"].get("ctequery", {})
        for tag in CHANGES:
            if tag in query:
                _change(ctx, tag, query[tag], operation)


def _read(ctx: Context, node: Node, operation: Operation) -> None:
    check_calls(ctx, node, operation)
    follow_calls(ctx, node, operation)
    written = node.get("relation")
    for source in relations(node):
        if source is written:
            continue
        relation = ctx.relation(source)
        if relation is not None:
            operation.touch(relation)
            hold_read(ctx, relation, operation, scan=True)


def _insert(ctx: Context, node: Node, target: Relation, operation: Operation) -> None:
    given = [c["ResTarget"]["name"] for c in node.get("cols", ())]
    check_columns(ctx, target, given, node["relation"].get("location"))
    for member in [target, *ctx.catalog.partitions_of(target)]:
        if member in _reads_back(ctx, node):
            operation.scan(member)
    conflict = node.get("onConflictClause", {})
    source = node.get("selectStmt", {}).get("SelectStmt", {})
    from_rows = "valuesLists" not in source and bool(source.get("fromClause"))
    if conflict.get("action") == "ONCONFLICT_UPDATE" and from_rows and target.live:
        operation.bulk.append(target.label)


def _reads_back(ctx: Context, node: Node) -> list[Relation]:
    found = [ctx.find(n) for n in relations(node.get("selectStmt", {}))]
    return [relation for relation in found if relation is not None]


def _update(ctx: Context, node: Node, target: Relation, operation: Operation) -> None:
    names = [t["ResTarget"]["name"] for t in node.get("targetList", ())]
    operation.columns += names
    check_columns(ctx, target, names, node["relation"].get("location"))
    if not target.live:
        return
    _grows(ctx, node, target, operation)
    where = node.get("whereClause")
    if is_everything(where) and "fromClause" not in node:
        operation.notes.add("no-where")
        if ctx.step is not None:
            for each in node.get("targetList", ()):
                name, value = each["ResTarget"]["name"], each["ResTarget"].get("val")
                if name not in columns(value) and not _made_here(ctx, target, name):
                    operation.notes.add(f"overwrites {name}")
                    operation.destroys.append(f"every value of {target.label}.{name}")
    if _many(ctx, node, target):
        operation.bulk.append(target.label)


def _made_here(ctx: Context, target: Relation, name: str) -> bool:
    return (target.key, name) in ctx.new_columns


def _delete(ctx: Context, node: Node, target: Relation, operation: Operation) -> None:
    if not target.live:
        return
    _grows(ctx, node, target, operation)
    if is_everything(node.get("whereClause")) and "usingClause" not in node:
        operation.notes.add("no-where")
    operation.destroys.append(f"rows of {target.label}")
    if _many(ctx, node, target):
        operation.bulk.append(target.label)


def _merge(ctx: Context, node: Node, target: Relation, operation: Operation) -> None:
    kinds = {
        clause["MergeWhenClause"].get("commandType") for clause in node.get("mergeWhenClauses", ())
    }
    if "returningClause" in node and ctx.version < 17:
        ctx.error(
            "version",
            f"MERGE .. RETURNING came with PostgreSQL 17; the server is {ctx.version}",
            at=node["relation"].get("location"),
        )
    if not target.live:
        return
    operation.scan(target)
    if "CMD_DELETE" in kinds:
        operation.destroys.append(f"rows of {target.label}")
    source = node.get("sourceRelation", {})
    if relations(source) and kinds & {"CMD_UPDATE", "CMD_DELETE"}:
        operation.bulk.append(target.label)


def _grows(ctx: Context, node: Node, target: Relation, operation: Operation) -> None:
    if _one_row(ctx, node.get("whereClause"), target):
        return
    operation.scan_all([target, *ctx.catalog.partitions_of(target)])


def is_everything(where: Node | None) -> bool:
    """No WHERE, or one that is always true."""
    if not where:
        return True
    constant = where.get("A_Const", {}).get("boolval")
    if constant is not None:
        return bool(constant.get("boolval"))
    body = where.get("A_Expr", {})
    left, right = body.get("lexpr", {}).get("A_Const"), body.get("rexpr", {}).get("A_Const")
    if left is None or right is None or strings(body.get("name")) != ["="]:
        return False
    return [left.get("ival"), left.get("sval")] == [right.get("ival"), right.get("sval")]


def _many(ctx: Context, node: Node, target: Relation) -> bool:
    """Whether a large part of the table may change in this one transaction.

    Not when a unique key is fixed, when a LIMIT bounds the rows, or when the file only names rows
    by constants of an explicit list.
    """
    where = node.get("whereClause")
    if is_everything(where):
        return True
    if _one_row(ctx, where, target):
        return False
    return not any(tag == "SelectStmt" and "limitCount" in body for tag, body in walk(where))


def _one_row(ctx: Context, where: Node | None, target: Relation) -> bool:
    """Whether WHERE fixes every column of a unique key to constants."""
    fixed = set(_fixed(where))
    keys = [set(primary_key(target))] if primary_key(target) else []
    keys += [set(i.columns) for i in ctx.catalog.indexes_of(target.key) if i.unique and i.plain]
    if target.columns is None:
        return bool(fixed & {"id", "uuid", f"{target.name.removesuffix('s')}_id"})
    return any(key <= fixed for key in keys)


def _fixed(where: Node | None) -> Iterator[str]:
    """Columns that an AND of conditions sets equal to constants, or to a list of them."""
    if not where:
        return
    both = where.get("BoolExpr", {})
    if both.get("boolop") == "AND_EXPR":
        for argument in both["args"]:
            yield from _fixed(argument)
    body = where.get("A_Expr", {})
    left = body.get("lexpr", {}).get("ColumnRef")
    right = body.get("rexpr", {})
    constant = not any(tag in ("SubLink", "ColumnRef") for tag, _ in walk(right))
    if left and strings(body.get("name")) == ["="] and constant:
        yield strings(left["fields"])[-1]


def _foreign_keys(
    ctx: Context, tag: str, node: Node, target: Relation, operation: Operation
) -> None:
    """Foreign keys are checked with row locks on the other table."""
    if tag in ("InsertStmt", "UpdateStmt"):
        written = {t["ResTarget"].get("name") for t in node.get("targetList", ())}
        for constraint in target.constraints.values():
            if constraint.refers_to is None or target.triggers_off:
                continue
            if tag == "InsertStmt" or written & set(constraint.columns):
                operation.lock(ctx.catalog.relations.get(constraint.refers_to), Lock.ROW_SHARE)
    if tag == "DeleteStmt":
        for referrer, constraint in ctx.catalog.referrers_of(target.key):
            changes = constraint.on_delete in ("c", "n", "d")
            operation.lock(referrer, Lock.ROW_EXCLUSIVE if changes else Lock.ROW_SHARE)
            if constraint.on_delete == "c" and referrer.live and target.live:
                operation.destroys.append(f"rows of {referrer.label} (ON DELETE CASCADE)")


def truncate(ctx: Context, node: Node) -> None:
    operation = ctx.operation("TRUNCATE")
    cascade = node.get("behavior") == "DROP_CASCADE"
    wanted = [ctx.relation(each["RangeVar"]) for each in node["relations"]]
    together = [relation for relation in wanted if relation is not None]
    if cascade:
        operation.notes.add("cascade")
    for relation in together:
        operation.touch(relation)
        for member in [relation, *ctx.catalog.partitions_of(relation)]:
            operation.lock(member, Lock.ACCESS_EXCLUSIVE)
        if relation.live:
            operation.destroys.append(f"every row of {relation.label}")
        for referrer, constraint in ctx.catalog.referrers_of(relation.key):
            if referrer in together:
                continue
            if cascade:
                together.append(referrer)
                operation.gone.append(f"every row of {referrer.shown}")
            else:
                ctx.error(
                    "catalog",
                    f"cannot truncate {relation.shown}: foreign key {constraint.name} of "
                    f"{referrer.shown} points at it",
                    remedy=f"truncate both in one statement, {relation.shown} and {referrer.shown}",
                )


def lock_table(ctx: Context, node: Node) -> None:
    operation = ctx.operation("LOCK_TABLE")
    mode = Lock(node.get("mode", 8))
    for each in node["relations"]:
        relation = ctx.relation(each["RangeVar"])
        if relation is not None:
            operation.touch(relation)
            for member in [relation, *ctx.catalog.partitions_of(relation)]:
                operation.lock(member, mode)
    if ctx.step is not None and not ctx.step.in_block and not ctx.body_depth:
        ctx.error(
            "transaction",
            "LOCK TABLE can only be used in a transaction block",
            remedy="write BEGIN; before and COMMIT; after the statements that need the lock",
        )
    if operation.locks and mode.strong:
        operation.notes.add("explicit-lock")


def copy(ctx: Context, node: Node) -> None:
    operation = ctx.operation("COPY")
    if "query" in node:
        (tag, body), *_ = node["query"].items()
        if tag in CHANGES:
            _change(ctx, tag, body, operation)
        else:
            _read(ctx, body, operation)
        return
    relation = ctx.relation(node["relation"])
    if relation is None:
        return
    operation.touch(relation)
    check_columns(ctx, relation, strings(node.get("attlist")), node["relation"].get("location"))
    if node.get("is_from"):
        operation.lock(relation, Lock.ROW_EXCLUSIVE)
    else:
        hold_read(ctx, relation, operation, scan=True)
