"""How much of a table a WHERE names: everything, one row, or something between."""

from __future__ import annotations

from collections.abc import Iterator

from shared.sql.context import Context
from shared.sql.definitions import primary_key
from shared.sql.expressions import walk
from shared.sql.grammar import Node
from shared.sql.names import scalar, strings
from shared.sql.schema_objects import Relation


def is_everything(where: Node | None) -> bool:
    """No WHERE, or one that is always true."""
    return not where or _truth(where) is True


def is_nothing(where: Node | None) -> bool:
    """A WHERE that is never true: what it stands in is looked at, and changes no row."""
    return bool(where) and _truth(where) is False


def reads_nothing(node: Node) -> bool:
    """Whether a query, or the query of an INSERT, ends before it has read a row: for a WHERE that
    is never true, or LIMIT 0."""
    for tag in ("selectStmt", "SelectStmt"):
        node = node.get(tag, node)
    return is_nothing(node.get("whereClause")) or scalar(node.get("limitCount", {})) == 0


def _truth(where: Node | None) -> bool | None:
    """Of a constant, of two constants compared, or of such put together; None of what depends on
    rows."""
    where = where or {}
    if "BoolExpr" in where:
        return _together(where["BoolExpr"])
    constant = where.get("A_Const", {}).get("boolval")
    if constant is not None:
        return bool(constant.get("boolval"))
    body = where.get("A_Expr", {})
    left, right = body.get("lexpr", {}).get("A_Const"), body.get("rexpr", {}).get("A_Const")
    if left is None or right is None or strings(body.get("name")) != ["="]:
        return None
    if left.keys() - {"location"} != right.keys() - {"location"}:
        return None
    return [left.get("ival"), left.get("sval")] == [right.get("ival"), right.get("sval")]


def _together(body: Node) -> bool | None:
    truths = [_truth(argument) for argument in body["args"]]
    if body.get("boolop") == "NOT_EXPR":
        return None if truths[0] is None else not truths[0]
    decides = body.get("boolop") == "OR_EXPR"
    if decides in truths:
        return decides
    return None if None in truths else not decides


def many(ctx: Context, node: Node, target: Relation) -> bool:
    """Whether a large part of the table may change in this one transaction.

    Not when a unique key is fixed, when a LIMIT bounds the rows, or when the file only names rows
    by constants of an explicit list.
    """
    where = node.get("whereClause")
    if is_everything(where):
        return True
    if one_row(ctx, where, target):
        return False
    return not any(tag == "SelectStmt" and "limitCount" in body for tag, body in walk(where))


def one_row(ctx: Context, where: Node | None, target: Relation) -> bool:
    """Whether WHERE fixes every column of a unique key to constants."""
    fixed = set(_fixed(where))
    keys = [set(primary_key(target))] if primary_key(target) else []
    keys += [set(i.columns) for i in ctx.catalog.indexes_over(target) if i.unique and i.plain]
    if target.columns is None:
        own = f"{target.name.removesuffix('s')}_id"
        return bool(fixed & {"id", "uuid", own, _LEDGERS.get(target.name, own)})
    return any(key <= fixed for key in keys)


_LEDGERS = {
    "alembic_version": "version_num",
    "schema_migrations": "version",
    "ar_internal_metadata": "key",
    "flyway_schema_history": "installed_rank",
    "doctrine_migration_versions": "version",
    "SequelizeMeta": "name",
    "__EFMigrationsHistory": "MigrationId",
}
"""Tables in which tools write down what has run, with the key by which their files name a row."""


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
    if left and strings(body.get("name")) == ["="] and _constant(body.get("rexpr", {})):
        yield strings(left["fields"])[-1]


def _constant(value: Node) -> bool:
    """Also NEW.x and OLD.x: what a trigger's function does for one row."""
    if "A_Const" in value:
        return True
    return not any(
        tag == "SubLink"
        or (tag == "ColumnRef" and strings(body["fields"])[0] not in ("new", "old"))
        for tag, body in walk(value)
    )
