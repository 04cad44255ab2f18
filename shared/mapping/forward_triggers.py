"""The triggers on the target that compute, in apply, what the file makes of a replicated row.

insert  computes everything
update  computes the chains whose sources changed. That is asked in the function: a WHEN of the
        trigger would be read from the catalog anew for each row, since apply makes an executor
        for each
again   for an UPDATE that names a computed column, which apply never does, and forces it: computes
        everything anew, under settings of its own (shared/mapping/rederive.py)

All are ENABLE REPLICA, with names in state sync. Apply pays for them with every row: with a SET
clause on the function and a query for each statement of the file, inserts ran at 0.39 of the speed
without triggers. So settings are changed where they differ only, and an expression stands over
PL/pgSQL variables that are called as the file calls the row's columns (benchmarks/sync.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.domain.identifiers import ident, literal
from shared.domain.objects import FORWARD_TRIGGER
from shared.mapping.chain_model import Chain, Operation, Value
from shared.mapping.exact_values import changed_bytes
from shared.mapping.expressions import Place, forced, row_of
from shared.mapping.model import Mapping, Table
from shared.mapping.name_states import NameState
from shared.mapping.trigger_statements import (
    create_function,
    create_trigger,
    drop_trigger,
    in_apply_only,
)

SLOT = re.compile(r"s\d+_\d+")
EVENTS = ("insert", "update", "again")


def create_forward_triggers(mapping: Mapping, number: int, state: NameState) -> list[str]:
    """Of that table; none where the file computes nothing there."""
    table = mapping.tables[number]
    if not (table.chains or table.added_defaults):
        return []
    relation = table.name(state).sql
    settled = _settled(table)
    statements = [
        function(_name(number, "insert"), settled + _defaults(table) + _all(table), table),
        *_trigger("insert", "INSERT", relation, "", number),
    ]
    if any(chain.inputs for chain in table.chains):
        statements += [
            function(_name(number, "update"), _those_changed(table, settled), table),
            *_trigger("update", "UPDATE", relation, "", number),
        ]
    computed = [r.column for chain in table.chains for r in chain.results]
    if computed:
        names = ", ".join(ident(table.column(final).name(state)) for final in computed)
        statements += [
            function(_name(number, "again"), _all(table), table, settings=table.settings),
            *_trigger("again", f"UPDATE OF {names}", relation, forced(), number),
        ]
    return statements


def drop_forward_triggers(table: Table, state: NameState) -> list[str]:
    return [drop_trigger(trigger_name(event), table.name(state).sql) for event in EVENTS]


def trigger_name(event: str) -> str:
    return f"{FORWARD_TRIGGER}_{event}"


def function(name: str, body: str, table: Table, *, settings: dict[str, str] | None = None) -> str:
    declared = "".join(
        f"\n    s{number}_{i} {kind};"
        for number, chain in enumerate(table.chains)
        for i, kind in enumerate(chain.slots)
    )
    text = f"#variable_conflict use_column\nDECLARE{declared}\nBEGIN{body}\n    RETURN new;\nEND"
    return create_function(name, text, settings or {})


def _name(number: int, event: str) -> str:
    return f"forward_{number}_{event}"


def _trigger(event: str, when: str, relation: str, only: str, number: int) -> list[str]:
    trigger = trigger_name(event)
    return [
        create_trigger(trigger, f"BEFORE {when}", relation, _name(number, event), only=only),
        in_apply_only(trigger, relation),
    ]


def _settled(table: Table) -> str:
    """The session computes under the file's settings from here on: apply has no others to keep.

    From PostgreSQL 16 on it forgets them with each change, when it has gone through that as the
    table's owner: what is as it should be is not set, nor a path by which nothing is found.
    """
    path = any(operation.by_path for chain in table.chains for operation in chain.operations)
    wanted = {
        name: value for name, value in table.settings.items() if path or name != "search_path"
    }
    return "".join(
        f"\n    IF pg_catalog.current_setting({literal(name)}) <> {_as_shown(name, value)} THEN"
        f"\n        SET {name} = {value};\n    END IF;"
        for name, value in wanted.items()
    )


def _as_shown(name: str, value: str) -> str:
    """A list of schemas is no literal in a mapping; everything else is."""
    return literal(value) if name == "search_path" else value


def _defaults(table: Table) -> str:
    return "".join(
        f"\n    new.{ident(table.column(final).sync)} := {expression};"
        for final, expression in table.added_defaults.items()
    )


def _all(table: Table) -> str:
    return "".join(_computed(table, chain, number) for number, chain in enumerate(table.chains))


def _those_changed(table: Table, settled: str) -> str:
    return "".join(
        f"\n    IF {_changed(table, chain)} THEN{settled}{_computed(table, chain, number)}"
        "\n    END IF;"
        for number, chain in enumerate(table.chains)
        if chain.inputs
    )


def _changed(table: Table, chain: Chain) -> str:
    """Whether an UPDATE changed a byte of what the chain reads."""
    return " OR ".join(changed_bytes(table.column(final)) for final in chain.inputs)


def _computed(table: Table, chain: Chain, number: int) -> str:
    """Assignments to NEW: one chain, statement after statement of the file."""

    def place(value: Value) -> str:
        if value.slot is not None:
            return f"s{number}_{value.slot}"
        assert value.column is not None
        text = f"new.{ident(table.column(value.column).sync)}"
        return f"{text}::{value.cast}" if value.cast else text

    lines = [f"s{number}_{slot} := {text};" for slot, text in chain.starts.items()]
    for operation in chain.operations:
        if any(read.name == "new" or SLOT.fullmatch(read.name) for read in operation.reads):
            lines += _by_query(operation, place)
        else:
            lines += _by_variables(operation, place, table, chain)
    lines += [
        f"new.{ident(table.column(r.column).sync)} := s{number}_{r.slot};" for r in chain.results
    ]
    return "".join(f"\n        {line}" for line in lines)


def _by_variables(operation: Operation, place: Place, table: Table, chain: Chain) -> list[str]:
    """One statement of the file, over a block that is called as the file calls the row."""
    targets = [f"{place(Value(slot=a.slot))} := ({a.expression});" for a in operation.assignments]
    body = _chosen(f"({operation.condition})", operation, place, targets)
    if not operation.reads:
        return body
    label = ident(operation.alias)
    return [
        f"<<{label}>>",
        "DECLARE",
        *(
            f"    {ident(read.name)} {_kind(read.value, table, chain)} := {place(read.value)};"
            for read in operation.reads
        ),
        "BEGIN",
        *(f"    {line}" for line in body),
        f"END {label};",
    ]


def _kind(value: Value, table: Table, chain: Chain) -> str:
    if value.slot is not None:
        return chain.slots[value.slot]
    assert value.column is not None
    column = table.column(value.column)
    return value.cast or (
        f"{column.type} COLLATE {column.collation}" if column.collation else column.type
    )


def _by_query(operation: Operation, place: Place) -> list[str]:
    """The same where a column is called as something of PL/pgSQL's own: a variable of its name
    would hide that."""
    expressions = ", ".join(a.expression for a in operation.assignments)
    targets = ", ".join(place(Value(slot=a.slot)) for a in operation.assignments)
    row = row_of(operation, place)
    compute = f"SELECT {expressions} INTO {targets} FROM {row};"
    condition = f"EXISTS (SELECT FROM {row} WHERE {operation.condition})"
    return _chosen(condition, operation, place, [compute])


def _chosen(condition: str, operation: Operation, place: Place, lines: Iterable[str]) -> list[str]:
    if operation.condition is None:
        return list(lines)
    kept = [
        f"    {place(Value(slot=a.slot))} := {place(a.before)};"
        for a in operation.assignments
        if a.before is not None
    ]
    otherwise = ["ELSE", *kept] if kept else []
    return [f"IF {condition} THEN", *(f"    {line}" for line in lines), *otherwise, "END IF;"]
