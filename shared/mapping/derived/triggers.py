"""The triggers of a derived table: it follows the table it was made of, and gives back to it.

follow    on the replicated table, ENABLE REPLICA, names in state sync: fills the derived row
give back on the derived table, ordinary, names in state final (shared/mapping/derived/back.py)
"""

from __future__ import annotations

from shared.domain.identifiers import ident, literal
from shared.domain.objects import FORWARD_TRIGGER
from shared.mapping.chain_model import Value
from shared.mapping.derived.back import GIVING_BACK, create_back_triggers, drop_back_triggers
from shared.mapping.derived_model import Derived
from shared.mapping.expressions import changed, differs, forced, one_row
from shared.mapping.model import Mapping, Table
from shared.mapping.name_states import NameState
from shared.mapping.trigger_statements import (
    EVERY_CHANGE,
    PINNED_PATH,
    body_of,
    create_function,
    create_trigger,
    drop_trigger,
    in_apply_only,
)


def create_derived_triggers(mapping: Mapping, state: NameState) -> list[str]:
    statements: list[str] = []
    for number, made in enumerate(mapping.derived):
        table = source_of(mapping, made)
        follow, empty = _names(number)
        relation = table.name(state).sql
        statements += [
            create_function(f"follow_{number}", _follow(table, made), PINNED_PATH | made.settings),
            create_trigger(follow, EVERY_CHANGE, relation, f"follow_{number}"),
            in_apply_only(follow, relation),
            create_function(f"empty_{number}", _empty(made), PINNED_PATH),
            create_trigger(empty, "AFTER TRUNCATE", relation, f"empty_{number}", each="STATEMENT"),
            in_apply_only(empty, relation),
        ]
        if made.put_back:
            statements += create_back_triggers(table, made, number, state)
    return statements


def drop_derived_triggers(mapping: Mapping, state: NameState) -> list[str]:
    found = []
    for number, made in enumerate(mapping.derived):
        relation = source_of(mapping, made).name(state).sql
        found += [drop_trigger(trigger, relation) for trigger in _names(number)]
        if made.put_back:
            found += drop_back_triggers(made, number, state)
    return found


def _names(number: int) -> tuple[str, str]:
    """Of the trigger that follows a row, and of the one that follows TRUNCATE."""
    return f"{FORWARD_TRIGGER}_{number}", f"{FORWARD_TRIGGER}_{number}_empty"


def source_of(mapping: Mapping, made: Derived) -> Table:
    return next(table for table in mapping.tables if table.final == made.source)


def expected_row(made: Derived, table: Table, row: str, state: NameState) -> tuple[str, str]:
    """FROM item that gives the derived row's source, and the condition (`true` where none)."""

    def place(value: Value) -> str:
        assert value.column is not None, "a copy reads columns"
        text = f"{row}.{ident(table.column(value.column).name(state))}"
        return f"{text}::{value.cast}" if value.cast else text

    reads = [(read.name, place(read.value)) for read in made.reads]
    return one_row(made.alias, reads), made.condition or "true"


def _follow(table: Table, made: Derived) -> str:
    derived = made.sync.sql
    keys = [ident(column.sync) for column in table.key_columns]
    theirs = [ident(name) for name in made.key]
    source, condition = expected_row(made, table, "new", "sync")
    columns = ", ".join(ident(each.column) for each in made.filled)
    values = ", ".join(f"({each.expression})::{each.type}" for each in made.filled)
    set_others = ", ".join(
        f"{ident(each.column)} = excluded.{ident(each.column)}"
        for each in made.filled
        if each.column not in made.key
    )
    conflict = f"UPDATE SET {set_others}" if set_others else "NOTHING"
    inputs = [
        ident(table.column(read.value.column).sync)
        for read in made.reads
        if read.value.column is not None
    ]
    moved = differs([f"new.{key}" for key in keys], [f"old.{key}" for key in keys])
    return body_of(f"""
    IF coalesce(current_setting({literal(GIVING_BACK)}, true), '') = 'on' THEN
        RETURN NULL;
    END IF;
    IF tg_op = 'DELETE' THEN
        DELETE FROM {derived} AS d WHERE {_matches(theirs, keys, "old")};
        RETURN NULL;
    END IF;
    IF tg_op = 'UPDATE' THEN
        IF {moved} THEN
            DELETE FROM {derived} AS d WHERE {_matches(theirs, keys, "old")};
        END IF;
    END IF;
    IF {changed(dict.fromkeys([*keys, *inputs]))} OR {forced()} THEN
        DELETE FROM {derived} AS d WHERE {_matches(theirs, keys, "new")}
            AND NOT EXISTS (SELECT FROM {source} WHERE {condition});
        INSERT INTO {derived} ({columns}) SELECT {values} FROM {source} WHERE {condition}
            ON CONFLICT ({", ".join(theirs)}) DO {conflict};
    END IF;
    RETURN NULL;
""")


def _matches(theirs: list[str], keys: list[str], row: str) -> str:
    return " AND ".join(f"d.{mine} = {row}.{key}" for mine, key in zip(theirs, keys, strict=True))


def _empty(made: Derived) -> str:
    return body_of(f"\n    DELETE FROM {made.sync.sql};\n    RETURN NULL;\n")
