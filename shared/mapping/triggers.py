"""The two triggers on the target that keep two shapes of one row in step.

forward  ENABLE REPLICA: fires in apply only, names in state sync; computes what the file makes
reverse  ordinary: fires for the application only, names in state final; keeps the old shape
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.identifiers import ident, literal
from shared.domain.objects import FORWARD_TRIGGER, JOB, REVERSE_TRIGGER
from shared.mapping.derived_triggers import (
    create_derived_triggers,
    drop_derived_triggers,
    found_in_derived,
)
from shared.mapping.expressions import Place, changed, forced, one_row, row_of
from shared.mapping.model import (
    Chain,
    Column,
    Derived,
    Mapping,
    NameState,
    Operation,
    Table,
    Value,
)


def create_triggers(mapping: Mapping, state: NameState) -> list[str]:
    """Statements for the target, whose names are in `state` now."""
    statements: list[str] = []
    for number, table in enumerate(mapping.tables):
        relation = table.name(state).sql
        if forward := _forward_body(table):
            function = f"forward_{number}"
            trigger = ident(FORWARD_TRIGGER)
            statements += [
                _function(function, forward, table),
                _trigger(trigger, relation, function),
                f"ALTER TABLE {relation} ENABLE REPLICA TRIGGER {trigger}",
            ]
        if reverse := _reverse_body(table, mapping.derived):
            function = f"reverse_{number}"
            statements += [
                _function(function, reverse, table),
                _trigger(ident(REVERSE_TRIGGER), relation, function),
            ]
    return [*statements, *create_derived_triggers(mapping, state)]


def drop_triggers(mapping: Mapping, state: NameState) -> list[str]:
    return [
        *drop_derived_triggers(mapping, state),
        *(
            f"DROP TRIGGER IF EXISTS {ident(trigger)} ON {table.name(state).sql}"
            for table in mapping.tables
            for trigger in (FORWARD_TRIGGER, REVERSE_TRIGGER)
        ),
    ]


def _forward_body(table: Table) -> str:
    """Assignments to NEW, chain after chain; empty when the file computes nothing here."""
    defaults = "".join(
        f"\n        new.{ident(table.column(final).sync)} := {expression};"
        for final, expression in table.added_defaults.items()
    )
    body = f"\n    IF tg_op = 'INSERT' THEN{defaults}\n    END IF;" if defaults else ""
    declared: list[str] = []
    for number, chain in enumerate(table.chains):
        declared += [f"    s{number}_{i} {kind};" for i, kind in enumerate(chain.slots)]
        body += _forward_chain(table, chain, number)
    return _body(declared, body)


def _forward_chain(table: Table, chain: Chain, number: int) -> str:
    def name(final: str) -> str:
        return ident(table.column(final).sync)

    def place(value: Value) -> str:
        if value.slot is not None:
            return f"s{number}_{value.slot}"
        assert value.column is not None
        text = f"new.{name(value.column)}"
        return f"{text}::{value.cast}" if value.cast else text

    lines = [f"s{number}_{slot} := {text};" for slot, text in chain.starts.items()]
    for operation in chain.operations:
        lines += _compute(operation, place)
    lines += [f"new.{name(r.column)} := s{number}_{r.slot};" for r in chain.results]
    inputs = [name(final) for final in chain.inputs]
    work = "".join(f"\n        {line}" for line in lines)
    return f"\n    IF {changed(inputs)} OR {forced()} THEN{work}\n    END IF;"


def _compute(operation: Operation, place: Place) -> list[str]:
    """One statement of the file. SELECT INTO a typed variable assigns as ALTER TYPE does."""
    expressions = ", ".join(a.expression for a in operation.assignments)
    targets = ", ".join(place(Value(slot=a.slot)) for a in operation.assignments)
    row = row_of(operation, place)
    compute = f"SELECT {expressions} INTO {targets} FROM {row};"
    if operation.condition is None:
        return [compute]
    kept = [
        f"{place(Value(slot=a.slot))} := {place(a.before)};"
        for a in operation.assignments
        if a.before is not None
    ]
    where = operation.condition
    return [
        f"PERFORM FROM {row} WHERE {where};",
        "IF found THEN",
        f"    {compute}",
        "ELSE",
        *(f"    {line}" for line in kept),
        "END IF;",
    ]


def _reverse_body(table: Table, derived: Iterable[Derived]) -> str:
    """The old value of each landing column from the final row; what does not fit is noted."""
    declared: list[str] = []
    body = found_in_derived(table, derived)
    for number, column in enumerate(table.of("landing")):
        if column.down is None or column.derived:
            continue
        declared.append(f"    old_{number} {column.type};")
        body += _reverse_column(table, column, number)
    return _body(declared, body)


def _reverse_column(table: Table, column: Column, number: int) -> str:
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
    return f"""
    IF {changed([ident(name) for name in column.down_reads])} THEN
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


def _function(name: str, body: str, table: Table) -> str:
    settings = {"search_path": "pg_catalog, pg_temp", **table.settings}
    fixed = " ".join(f"SET {key} = {value}" for key, value in settings.items())
    return (
        f"CREATE OR REPLACE FUNCTION {ident(JOB, name)}() RETURNS trigger LANGUAGE plpgsql"
        f" {fixed} AS {literal(body)}"
    )


def _trigger(trigger: str, relation: str, function: str) -> str:
    return (
        f"CREATE OR REPLACE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {relation}"
        f" FOR EACH ROW EXECUTE FUNCTION {ident(JOB, function)}()"
    )
