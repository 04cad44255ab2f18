"""The file's data changes as chains of intermediate results, one chain per independent group.

Every assignment makes a new slot, so a column may be computed, retyped and computed again, and
each expression finds the value, and the type, of its moment in the file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from shared.mapping.chain_model import Assignment, Chain, Operation, Read, Result, Value
from shared.mapping.names import LANDING, ours
from shared.mapping.snapshot import SeenColumn, SeenRelation, Snapshot
from shared.mapping.trace import SeenChange


def live_changes(after: SeenRelation, changes: Iterable[SeenChange]) -> list[SeenChange]:
    """Without the assignments to columns that the file drops and nobody reads in between."""
    live = {column.attnum for column in after.columns}
    kept: list[SeenChange] = []
    for change in reversed(list(changes)):
        wanted = tuple(item for item in change.assignments if item.attnum in live)
        if not wanted:
            continue
        if change.condition is None:
            live -= {item.attnum for item in wanted} - {c.attnum for c in after.columns}
        live |= set(change.reads)
        kept.append(replace(change, assignments=wanted))
    return kept[::-1]


def type_at_end(column: SeenColumn, moment: Snapshot, end: Snapshot) -> str | None:
    """The column's type under its last name; None when the file drops the type."""
    if column.built_in:
        return column.type
    last = end.types.get(column.type_oid)
    return column.type if last == moment.types.get(column.type_oid) else last


@dataclass
class _Slots:
    types: list[str] = field(default_factory=list)
    starts: dict[int, str] = field(default_factory=dict)
    groups: list[int] = field(default_factory=list)
    """Slot to group; groups are merged by `join`."""

    def new(self, kind: str) -> int:
        self.types.append(kind)
        self.groups.append(len(self.groups))
        return len(self.types) - 1

    def join(self, slots: Iterable[int]) -> None:
        found = sorted({self.groups[slot] for slot in slots})
        for slot, group in enumerate(self.groups):
            if group in found:
                self.groups[slot] = found[0]


@dataclass
class _Builder:
    before: SeenRelation
    after: SeenRelation
    end: Snapshot
    landing: frozenset[int]
    first_defaults: dict[tuple[int, int], str | None]
    slots: _Slots = field(default_factory=_Slots)
    current: dict[int, Value] = field(default_factory=dict)
    """Attribute number to where its value is at this point of the file."""
    operations: list[Operation] = field(default_factory=list)

    def value(self, attnum: int, moment: SeenColumn, change: SeenChange) -> Value:
        if attnum in self.current:
            return self.current[attnum]
        old = self.before.column(attnum)
        if old is None:
            slot = self.slots.new(type_at_end(moment, change.before, self.end) or "text")
            default = self.first_defaults.get((self.before.oid, attnum))
            self.slots.starts[slot] = default or "NULL"
            found = Value(slot=slot)
        elif attnum in self.landing:
            kind = None if old.built_in else type_at_end(moment, change.before, self.end)
            found = Value(column=ours(LANDING, old.name), cast=kind)
        else:
            column = self.after.column(attnum)
            assert column is not None, "a dropped column that is read has a landing column"
            found = Value(column=column.name)
        self.current[attnum] = found
        return found

    def add(self, change: SeenChange) -> None:
        then = change.before.relations[self.before.oid]
        reads = []
        for attnum in change.reads:
            column = then.column(attnum)
            if column is not None:
                reads.append(Read(name=column.name, value=self.value(attnum, column, change)))
        assignments = []
        for item in change.assignments:
            column = then.column(item.attnum)
            assert column is not None
            stays = self.value(item.attnum, column, change) if change.condition else None
            result = change.after.relations[self.before.oid].column(item.attnum)
            assert result is not None
            slot = self.slots.new(type_at_end(result, change.after, self.end) or "text")
            assignments.append(
                Assignment(expression=item.expression, slot=slot, plain=item.plain, before=stays)
            )
        self._join(reads, assignments, change)
        for item, made in zip(change.assignments, assignments, strict=True):
            self.current[item.attnum] = Value(slot=made.slot)
        self.operations.append(
            Operation(
                line=change.statement.line,
                alias=change.alias,
                reads=reads,
                condition=change.condition,
                assignments=assignments,
                by_path=change.by_path,
            )
        )

    def _join(self, reads: list[Read], assignments: list[Assignment], change: SeenChange) -> None:
        """What this statement reads, keeps or overwrites belongs to one chain with it."""
        touched = {a.slot for a in assignments}
        touched |= {read.value.slot for read in reads if read.value.slot is not None}
        for item in change.assignments:
            earlier = self.current.get(item.attnum)
            if earlier is not None and earlier.slot is not None:
                touched.add(earlier.slot)
        self.slots.join(touched)

    def chains(self) -> list[Chain]:
        results = [
            Result(column=column.name, slot=value.slot)
            for column in self.after.columns
            if (value := self.current.get(column.attnum)) is not None and value.slot is not None
        ]
        groups = dict.fromkeys(
            self.slots.groups[operation.assignments[0].slot] for operation in self.operations
        )
        return [self._chain(group, results) for group in groups]

    def _chain(self, group: int, results: list[Result]) -> Chain:
        slots = [slot for slot, found in enumerate(self.slots.groups) if found == group]
        number = {slot: i for i, slot in enumerate(slots)}

        def renumbered(value: Value) -> Value:
            return value if value.slot is None else Value(slot=number[value.slot])

        operations = [
            operation.model_copy(
                update={
                    "reads": [
                        Read(name=r.name, value=renumbered(r.value)) for r in operation.reads
                    ],
                    "assignments": [
                        a.model_copy(
                            update={
                                "slot": number[a.slot],
                                "before": renumbered(a.before) if a.before else None,
                            }
                        )
                        for a in operation.assignments
                    ],
                }
            )
            for operation in self.operations
            if operation.assignments[0].slot in number
        ]
        return Chain(
            inputs=_inputs(operations),
            slots=[self.slots.types[slot] for slot in slots],
            starts={number[s]: text for s, text in self.slots.starts.items() if s in number},
            operations=operations,
            results=[
                Result(column=r.column, slot=number[r.slot]) for r in results if r.slot in number
            ],
        )


def _inputs(operations: list[Operation]) -> list[str]:
    """The target's columns that the chain reads, each once."""
    values = [read.value for operation in operations for read in operation.reads]
    values += [a.before for operation in operations for a in operation.assignments if a.before]
    return list(dict.fromkeys(value.column for value in values if value.column is not None))


def build_chains(
    before: SeenRelation,
    after: SeenRelation,
    end: Snapshot,
    changes: Iterable[SeenChange],
    landing: frozenset[int],
    first_defaults: dict[tuple[int, int], str | None],
) -> list[Chain]:
    """The chains of one table. `landing`: attribute numbers that have a landing column."""
    builder = _Builder(before, after, end, landing, first_defaults)
    for change in changes:
        builder.add(change)
    return builder.chains()
