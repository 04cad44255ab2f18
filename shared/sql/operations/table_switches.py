"""ALTER TABLE: triggers, rules and row security, switched on and off."""

from __future__ import annotations

from dataclasses import replace

from shared.sql.context import Context
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.schema_objects import Relation


def switch_trigger(ctx: Context, relation: Relation, cmd: Node) -> None:
    on = cmd["subtype"].startswith("AT_Enable")
    operation = ctx.operation("ENABLE_TRIGGER" if on else "DISABLE_TRIGGER", relation)
    name, everything = cmd.get("name"), cmd["subtype"].endswith("TrigAll")
    switched = [relation.triggers.get(name)] if name else list(relation.triggers.values())
    on_rows = any(each is not None and each.each_row for each in switched) or (
        everything and _has_foreign_keys(ctx, relation)
    )
    reached = ctx.family(relation) if relation.partition_key is not None and on_rows else [relation]
    operation.lock_all(reached, Lock.SHARE_ROW_EXCLUSIVE)
    if everything:
        relation.triggers_off = not on
    if name and relation.columns is not None and name not in relation.triggers:
        ctx.error("catalog", f'trigger "{name}" for table "{relation.shown}" does not exist')
    fires = on and cmd["subtype"] != "AT_EnableReplicaTrig"
    for each in [name] if name else list(relation.triggers):
        if (trigger := relation.triggers.get(each)) is not None:
            relation.triggers[each] = replace(trigger, enabled=fires)


def _has_foreign_keys(ctx: Context, relation: Relation) -> bool:
    """On either side: they are kept by triggers of rows, which ALL means too."""
    own = any(each.kind == "foreign key" for each in relation.constraints.values())
    return own or bool(ctx.catalog.referrers_of(relation.key))


def switch_rule(ctx: Context, relation: Relation, cmd: Node) -> None:
    on = cmd["subtype"].startswith("AT_Enable")
    operation = ctx.operation("ENABLE_RULE" if on else "DISABLE_RULE", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    name = cmd.get("name", "")
    if (rule := relation.rules.get(name)) is not None:
        fires = on and cmd["subtype"] != "AT_EnableReplicaRule"
        relation.rules[name] = replace(rule, enabled=fires)


_ROW_SECURITY = {
    "AT_EnableRowSecurity": "ENABLE_RLS",
    "AT_DisableRowSecurity": "DISABLE_RLS",
    "AT_ForceRowSecurity": "FORCE_RLS",
    "AT_NoForceRowSecurity": "NO_FORCE_RLS",
}


def switch_row_security(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation(_ROW_SECURITY[cmd["subtype"]], relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    if cmd["subtype"] == "AT_EnableRowSecurity":
        if relation.live and not relation.policies:
            operation.breaks += (
                f"no policy on {relation.label}: all rows are hidden from all but its owner",
            )
        relation.row_security = True
