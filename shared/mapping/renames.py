"""The two functions that change all names of one side in one round trip: `to_final`, `to_sync`.

They are SECURITY DEFINER, owned by a role that cannot log in; the proxy-agent only executes them.
Each changes names and `bluegreen_job.names` in one transaction; a repeat changes nothing.
"""

from __future__ import annotations

from typing import Literal

from shared.domain.identifiers import ident, literal
from shared.domain.objects import AGENT_ROLES, JOB, OWNER_ROLE
from shared.mapping.model import Mapping, Moved, Relabelled, Table
from shared.mapping.name_states import Name, NameState
from shared.mapping.names import SPARE, in_order, ours

Side = Literal["source", "target"]
LOCK_LIMIT_MS = 200
"""A switch that cannot have its locks in this time gives up, and is tried again."""
DEADLOCK_LIMIT_MS = 10
"""After this a lock holder that is autovacuum is cancelled (1 s by default)."""
FORGET_NAMES = "DELETE FROM bluegreen_job.names"
REMEMBER_NAMES = "INSERT INTO bluegreen_job.names (side, state) VALUES"
BODY = """BEGIN
    UPDATE bluegreen_job.names SET state = {state} WHERE state <> {state};
    IF NOT FOUND THEN
        RETURN;
    END IF;
{changes}
END"""
CALLERS = ("proxy-agent", "validator", "replicator")


def name_functions(mapping: Mapping, side: Side, state: NameState) -> list[str]:
    """Statements that create `to_final()` and `to_sync()` on a side that is in `state` now."""
    columns, relations = _column_moves(mapping, side), _relation_moves(mapping, side)
    forward = [_rename_column(*move) for move in columns]
    forward += [_move_relation(*move) for move in relations]
    back = [_move_relation(after, before) for before, after in reversed(relations)]
    back += [_rename_column(table, after, before) for table, before, after in reversed(columns)]
    forward += [_rename_label(each, side) for each in mapping.relabelled]
    back += [_rename_label(each, side, back=True) for each in reversed(mapping.relabelled)]
    if side == "source":
        loose = [item for table in mapping.tables for item in table.relaxations]
        forward = [sql for item in loose for sql in item.relax] + forward
        back += [sql for item in loose for sql in item.restore]
    return [
        FORGET_NAMES,
        f"{REMEMBER_NAMES} ({literal(side)}, {literal(state)})",
        *_function("final", forward),
        *_function("sync", back),
    ]


def _column_moves(mapping: Mapping, side: Side) -> list[tuple[Name, str, str]]:
    """(table in state sync, name in sync, name in final): columns change before their tables."""
    moves: list[tuple[Name, str, str]] = []
    for table in mapping.tables:
        there = [c for c in table.columns if (c.on_source if side == "source" else c.on_target)]
        pairs = in_order(((c.sync, c.final) for c in there), lambda name: ours(SPARE, name))
        moves += [(table.sync, before, after) for before, after in pairs]
    return moves


def _relation_moves(mapping: Mapping, side: Side) -> list[tuple[Name, Name]]:
    """Sequences first: one that a column owns follows its table into another schema."""
    moved = mapping.moved_on_source if side == "source" else mapping.moved_on_target
    everything: list[Table | Moved] = [*moved, *mapping.tables]
    pairs = [(relation.sync, relation.final) for relation in everything]
    return in_order(pairs, lambda name: Name(name.namespace, ours(SPARE, name.name)))


def _rename_column(table: Name, before: str, after: str) -> str:
    return f"ALTER TABLE {table.sql} RENAME COLUMN {ident(before)} TO {ident(after)}"


def _rename_label(each: Relabelled, side: Side, *, back: bool = False) -> str:
    """The type itself keeps the name that it has on that side."""
    kind = each.sync_type if side == "source" else each.final_type
    before, after = (each.final, each.sync) if back else (each.sync, each.final)
    return f"ALTER TYPE {kind} RENAME VALUE {literal(before)} TO {literal(after)}"


def _move_relation(before: Name, after: Name) -> str:
    """ALTER TABLE renames every kind of relation: views, indexes and sequences too."""
    if before.namespace == after.namespace:
        return f"ALTER TABLE {before.sql} RENAME TO {ident(after.name)}"
    if before.name == after.name:
        return f"ALTER TABLE {before.sql} SET SCHEMA {ident(after.namespace)}"
    passing = ours(SPARE, before.name)
    return (
        f"ALTER TABLE {before.sql} RENAME TO {ident(passing)};"
        f" ALTER TABLE {ident(before.namespace, passing)} SET SCHEMA {ident(after.namespace)};"
        f" ALTER TABLE {ident(after.namespace, passing)} RENAME TO {ident(after.name)}"
    )


def _function(state: NameState, statements: list[str]) -> list[str]:
    """`bluegreen_job.to_<state>()`, and who may call it."""
    function = f"{ident(JOB, f'to_{state}')}()"
    lines = "\n".join(f"    {statement};" for statement in statements)
    body = BODY.format(state=literal(state), changes=lines)
    return [
        f"CREATE OR REPLACE FUNCTION {function} RETURNS void LANGUAGE plpgsql SECURITY DEFINER"
        f" SET search_path = pg_catalog, pg_temp SET lock_timeout = '{LOCK_LIMIT_MS}ms'"
        f" SET deadlock_timeout = '{DEADLOCK_LIMIT_MS}ms' AS {literal(body)}",
        f"ALTER FUNCTION {function} OWNER TO {ident(OWNER_ROLE)}",
        f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION {function} TO "
        + ", ".join(ident(AGENT_ROLES[agent]) for agent in CALLERS),
    ]
