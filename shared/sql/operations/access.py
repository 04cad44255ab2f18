"""Privileges, owners, policies and roles."""

from __future__ import annotations

from shared.domain.kinds import Kind
from shared.sql.context import Context
from shared.sql.definitions import check_columns
from shared.sql.effects import Operation
from shared.sql.expressions import check_calls, columns, relations, walk
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import scalar, split_name, strings
from shared.sql.schema_objects import Relation
from shared.sql.words import words


def grant(ctx: Context, node: Node) -> None:
    granting = bool(node.get("is_grant"))
    operation = ctx.operation("GRANT" if granting else "REVOKE")
    _check_privileges(ctx, node)
    check_roles(ctx, node.get("grantees"))
    if node.get("targtype") == "ACL_TARGET_ALL_IN_SCHEMA":
        _check_schemas(ctx, node)
    elif node.get("objtype") in ("OBJECT_TABLE", "OBJECT_SEQUENCE"):
        _on_relations(ctx, node, operation)
    elif node.get("objtype") in ("OBJECT_FUNCTION", "OBJECT_PROCEDURE"):
        _check_routines(ctx, node)
    elif node.get("objtype") == "OBJECT_SCHEMA":
        _check_schemas(ctx, node)
    if not granting:
        operation.note("revoke")


def _check_schemas(ctx: Context, node: Node) -> None:
    for name in map(scalar, node.get("objects", ())):
        if ctx.catalog.complete and name not in ctx.catalog.schemas:
            ctx.error("catalog", f'schema "{name}" does not exist')


def _on_relations(ctx: Context, node: Node, operation: Operation) -> None:
    for each in node.get("objects", ()):
        relation = ctx.relation(each["RangeVar"])
        if relation is None:
            continue
        operation.touch(relation)
        if ctx.version >= 18 and relation.kind != "sequence":
            operation.lock(relation, Lock.ACCESS_SHARE)
        for privilege in node.get("privileges", ()):
            check_columns(ctx, relation, strings(privilege["AccessPriv"].get("cols")), None)


def _check_privileges(ctx: Context, node: Node) -> None:
    for each in node.get("privileges", ()):
        name = each["AccessPriv"].get("priv_name", "")
        if name == "maintain" and ctx.version < 17:
            ctx.error("version", f"MAINTAIN came with PostgreSQL 17; the server is {ctx.version}")
        elif name not in _PRIVILEGES and name:
            ctx.error("syntax", f'unrecognized privilege type "{name}"')


_PRIVILEGES = words(
    """select insert update delete truncate references trigger usage execute create connect
    temporary temp set maintain all alter_system"""
) | {"alter system"}


def check_roles(ctx: Context, roles: list[Node] | None) -> None:
    known = ctx.catalog.roles
    for each in roles or ():
        spec = each.get("RoleSpec", {})
        name = spec.get("rolename")
        if name is None or spec.get("roletype") != "ROLESPEC_CSTRING" or ctx.building:
            continue
        if known is None:
            ctx.cannot_see("roles are not in a schema: those that the file names are taken to be")
        elif name not in known and not name.startswith("pg_"):
            ctx.error("catalog", f'role "{name}" does not exist', at=spec.get("location"))


def _check_routines(ctx: Context, node: Node) -> None:
    for each in node.get("objects", ()):
        schema, name = split_name(each["ObjectWithArgs"].get("objname"))
        if ctx.catalog.complete and schema != "pg_catalog":
            known = ctx.catalog.routines_named(schema, name, ctx.path)
            if not known and not ctx.catalog.extensions - {"plpgsql"}:
                ctx.error("catalog", f"function {name}() does not exist")


def default_privileges(ctx: Context, node: Node) -> None:
    ctx.operation("ALTER_DEFAULT_PRIVILEGES")
    check_roles(ctx, node.get("action", {}).get("grantees"))


def owner(ctx: Context, node: Node) -> None:
    """ALTER .. OWNER TO of what is no table."""
    ctx.operation("CHANGE_OWNER")
    check_roles(ctx, [{"RoleSpec": node["newowner"]}] if "newowner" in node else None)


def _policy_columns(ctx: Context, relation: Relation, node: Node) -> frozenset[str]:
    found = columns(node.get("qual")) | columns(node.get("with_check"))
    inner = {"SubLink"} & set(_tags(node))
    if not inner:
        check_columns(ctx, relation, sorted(found), None)
    return found


def _hold_named(ctx: Context, node: Node, operation: Operation) -> None:
    """Its conditions are analysed: what their subqueries read is looked up."""
    for condition in (node.get("qual"), node.get("with_check")):
        for each in relations(condition):
            operation.lock(ctx.relation(each), Lock.ACCESS_SHARE)


def _tags(node: Node) -> list[str]:
    return [tag for tag, _ in walk(node)]


def create_policy(ctx: Context, node: Node) -> None:
    relation = ctx.relation(node["table"])
    operation = ctx.operation("CREATE_POLICY", relation)
    check_calls(ctx, node, operation)
    check_roles(ctx, node.get("roles"))
    if relation is None:
        return
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    _hold_named(ctx, node, operation)
    name = node["policy_name"]
    if name in relation.policies:
        ctx.error("catalog", f'policy "{name}" for table "{relation.shown}" already exists')
    relation.policies[name] = _policy_columns(ctx, relation, node)


def alter_policy(ctx: Context, node: Node) -> None:
    relation = ctx.relation(node["table"])
    operation = ctx.operation("ALTER_POLICY", relation)
    check_calls(ctx, node, operation)
    if relation is None:
        return
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    _hold_named(ctx, node, operation)
    name = node["policy_name"]
    if relation.columns is not None and name not in relation.policies:
        ctx.error("catalog", f'policy "{name}" for table "{relation.shown}" does not exist')
    if "qual" in node or "with_check" in node:
        both = "qual" in node and "with_check" in node
        kept = frozenset() if both else relation.policies.get(name, frozenset())
        relation.policies[name] = _policy_columns(ctx, relation, node) | kept


def role(type_: str) -> object:
    """CREATE, ALTER, DROP ROLE: they belong to all databases of the server."""

    def handler(ctx: Context, node: Node) -> None:
        operation = ctx.operation(type_)
        name = node.get("role")
        if ctx.catalog.roles is not None and isinstance(name, str) and type_ == "CREATE_ROLE":
            if name in ctx.catalog.roles:
                ctx.error("catalog", f'role "{name}" already exists')
            ctx.catalog.roles.add(name)
        if type_ == "DROP_ROLE":
            operation.breaks += ("a role is gone: its clients cannot log in",)
        elif type_ == "GRANT_ROLE" and not node.get("is_grant"):
            operation.breaks += ("a role loses a membership",)
        elif type_ == "ALTER_ROLE":
            for each in node.get("options", ()):
                if why := _locked_out(each["DefElem"]):
                    operation.breaks += (why,)

    return handler


def _locked_out(option: Node) -> str:
    """Why clients of a role cannot log in any more; empty when they can."""
    name, value = option["defname"], scalar(option.get("arg"))
    if (name == "canlogin" and not value) or (name == "connectionlimit" and value == 0):
        return "a role may not log in any more"
    if name in ("password", "validUntil"):
        return "a role's password is another, or ends: who knows the old one cannot log in"
    return ""


def reassign(ctx: Context, node: Node) -> None:
    ctx.operation("REASSIGN_OWNED").needs(
        Kind.MAINTENANCE, "REASSIGN OWNED changes every object of a role", "name the objects"
    )
