"""The triggers on the target that keep two shapes of one row in step.

forward  fire in apply only; compute what the file makes (shared/mapping/forward_triggers.py)
reverse  ordinary: fires for the application only, names in state final; keeps the old shape
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.identifiers import ident, literal
from shared.domain.objects import REVERSE_TRIGGER
from shared.mapping.derived.back import found_in_derived
from shared.mapping.derived.triggers import create_derived_triggers, drop_derived_triggers
from shared.mapping.derived_model import Derived
from shared.mapping.emptied_partitions import create_emptied_triggers, drop_emptied_triggers
from shared.mapping.expressions import changed, one_row
from shared.mapping.forward_triggers import create_forward_triggers, drop_forward_triggers
from shared.mapping.model import Column, Mapping, Table
from shared.mapping.moved_rows import moved_row
from shared.mapping.name_states import NameState
from shared.mapping.trigger_statements import (
    PINNED_PATH,
    create_function,
    create_trigger,
    drop_trigger,
)


def create_triggers(mapping: Mapping, state: NameState) -> list[str]:
    """Statements for the target, whose names are in `state` now."""
    statements: list[str] = []
    for number, table in enumerate(mapping.tables):
        relation = table.name(state).sql
        statements += create_forward_triggers(mapping, number, state)
        if reverse := _reverse_body(table, mapping.derived):
            function = f"reverse_{number}"
            statements += [
                create_function(function, reverse, PINNED_PATH | table.settings),
                create_trigger(REVERSE_TRIGGER, "BEFORE INSERT OR UPDATE", relation, function),
            ]
    statements += create_derived_triggers(mapping, state)
    return [*statements, *create_emptied_triggers(mapping, state)]


def drop_triggers(mapping: Mapping, state: NameState) -> list[str]:
    return [
        *drop_emptied_triggers(mapping, state),
        *drop_derived_triggers(mapping, state),
        *(sql for table in mapping.tables for sql in drop_forward_triggers(table, state)),
        *(drop_trigger(REVERSE_TRIGGER, table.name(state).sql) for table in mapping.tables),
    ]


def _reverse_body(table: Table, derived: Iterable[Derived]) -> str:
    """The old value of each landing column from the final row; what does not fit is noted."""
    declared: list[str] = []
    body = found_in_derived(table, derived)
    for number, column in enumerate(table.of("landing")):
        if column.derived:
            continue
        if column.down is None:
            body += _born_without(column)
            continue
        declared.append(f"    old_{number} {column.type};")
        moved = moved_row(table, column, f"stays_{number}")
        if moved:
            declared.append(f"    stays_{number} boolean := false;")
        body += moved + _reverse_column(table, column, number, can_stay=bool(moved))
    return _body(declared, body)


def _born_without(column: Column) -> str:
    """A row that is born on the target, where nothing gives the column a value."""
    if not column.not_null or column.fill is None:
        return ""
    landing = f"new.{ident(column.final)}"
    is_born = f"tg_op = 'INSERT' AND {landing} IS NULL"  # a row that changes its partition is not
    return f"\n    IF {is_born} THEN\n        {landing} := {column.fill};\n    END IF;"


def _reverse_column(table: Table, column: Column, number: int, *, can_stay: bool) -> str:
    landing, value = f"new.{ident(column.final)}", f"old_{number}"
    reads = [(name, f"new.{ident(name)}") for name in column.down_reads]
    key = " || ',' || ".join(f"new.{ident(c.final)}::text" for c in table.key_columns) or "''"
    fill = column.fill or "NULL"
    arguments = (
        f"{literal(table.final.label)}, {key}, {literal(column.sync)}",
        f"{landing} := {fill}" if column.not_null else f"{landing} := NULL",
    )
    refuse_null = (
        f"\n            IF {value} IS NULL THEN"
        "\n                RAISE not_null_violation USING MESSAGE = 'it may not be NULL there';"
        "\n            END IF;"
        if column.not_null
        else ""
    )
    refuse = refuse_null + "".join(
        f"\n            IF NOT coalesce((SELECT {check} FROM"
        f" {one_row(table.sync.name, [(column.sync, value)])}), true) THEN"
        "\n                RAISE check_violation USING MESSAGE = 'it breaks a CHECK there';"
        "\n            END IF;"
        for check in column.checks
    )
    is_new = changed([ident(name) for name in column.down_reads])
    return f"""
    IF {f"NOT stays_{number} AND ({is_new})" if can_stay else is_new} THEN
        BEGIN
            SELECT {column.down} INTO {value} FROM {one_row(table.final.name, reads)};{refuse}
            {landing} := {value};
        EXCEPTION WHEN OTHERS THEN
            PERFORM bluegreen_job.lose({arguments[0]}, sqlerrm);
            IF tg_op = 'INSERT' THEN
                {arguments[1]};
            END IF;
        END;
    END IF;"""


def _body(declared: list[str], body: str) -> str:
    if not body:
        return ""
    variables = "DECLARE\n" + "\n".join(declared) + "\n" if declared else ""
    return f"#variable_conflict use_column\n{variables}BEGIN{body}\n    RETURN new;\nEND"
