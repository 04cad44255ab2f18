"""The rules, in one ordered tuple. A new one: `make new-rule NAME=..`."""

from __future__ import annotations

from functools import lru_cache

from shared.sql.rules import (
    add_column_not_null_without_default,
    add_column_rewrites,
    add_column_with_constraint,
    attach_partition_scan,
    cascade,
    change_column_type,
    change_without_where,
    check_without_not_valid,
    detach_partition_without_concurrently,
    domain_constraint,
    drop_column,
    drop_index_without_concurrently,
    drop_object,
    drop_primary_key,
    drop_table,
    exclusion_constraint,
    foreign_key_without_index,
    foreign_key_without_not_valid,
    index_without_concurrently,
    look_alike_name,
    many_rows,
    not_null_without_check,
    primary_key_without_index,
    refresh_without_concurrently,
    reindex_without_concurrently,
    rename,
    row_security_without_policy,
    truncate,
    unique_without_index,
    unseen_statement,
    whole_copy,
    work_under_strong_lock,
)
from shared.sql.rules.rule import Check, Finding, Rule
from shared.sql.step import Step

RULES: tuple[tuple[Rule, Check], ...] = (
    (add_column_not_null_without_default.RULE, add_column_not_null_without_default.check),
    (add_column_rewrites.RULE, add_column_rewrites.check),
    (add_column_with_constraint.RULE, add_column_with_constraint.check),
    (attach_partition_scan.RULE, attach_partition_scan.check),
    (cascade.RULE, cascade.check),
    (change_column_type.RULE, change_column_type.check),
    (change_without_where.RULE, change_without_where.check),
    (check_without_not_valid.RULE, check_without_not_valid.check),
    (detach_partition_without_concurrently.RULE, detach_partition_without_concurrently.check),
    (domain_constraint.RULE, domain_constraint.check),
    (drop_column.RULE, drop_column.check),
    (drop_index_without_concurrently.RULE, drop_index_without_concurrently.check),
    (drop_object.RULE, drop_object.check),
    (drop_primary_key.RULE, drop_primary_key.check),
    (drop_table.RULE, drop_table.check),
    (exclusion_constraint.RULE, exclusion_constraint.check),
    (foreign_key_without_index.RULE, foreign_key_without_index.check),
    (foreign_key_without_not_valid.RULE, foreign_key_without_not_valid.check),
    (index_without_concurrently.RULE, index_without_concurrently.check),
    (look_alike_name.RULE, look_alike_name.check),
    (many_rows.RULE, many_rows.check),
    (not_null_without_check.RULE, not_null_without_check.check),
    (primary_key_without_index.RULE, primary_key_without_index.check),
    (refresh_without_concurrently.RULE, refresh_without_concurrently.check),
    (reindex_without_concurrently.RULE, reindex_without_concurrently.check),
    (rename.RULE, rename.check),
    (row_security_without_policy.RULE, row_security_without_policy.check),
    (truncate.RULE, truncate.check),
    (unique_without_index.RULE, unique_without_index.check),
    (unseen_statement.RULE, unseen_statement.check),
    (whole_copy.RULE, whole_copy.check),
    (work_under_strong_lock.RULE, work_under_strong_lock.check),
)
IDS = frozenset(rule.id for rule, _ in RULES)


_ORDER = {rule.id: number for number, (rule, _) in enumerate(RULES)}


def findings(step: Step) -> list[tuple[Rule, Finding]]:
    """What the rules find in one statement, in the order of the tuple."""
    found: list[tuple[Rule, Finding]] = []
    operations = step.operations
    apart = (step.grows and step.in_block) or not step.statement.text.isascii()
    for operation in operations:
        unused = not (operation.locks or operation.indexes_held)
        plain = not (apart or operation.notes or operation.gone)
        for rule, check in _asked(operation.type, unused, plain):
            finding = check(step, operation)
            if finding is not None:
                found.append((rule, finding))
    if len(operations) > 1:
        found.sort(key=lambda each: _ORDER[each[0].id])
    return found


@lru_cache(maxsize=1024)
def _asked(type_: str, unused: bool, plain: bool) -> tuple[tuple[Rule, Check], ...]:
    """The rules that look at an operation that locks nothing in use, or does not stand out: of
    most, a few."""
    numbers = set(_NAMING.get(type_, _ALWAYS))
    for begins, number in _PREFIXES:
        if type_.startswith(begins):
            numbers.add(number)
    asked = [RULES[number] for number in sorted(numbers)]
    return tuple(
        [
            (rule, check)
            for rule, check in asked
            if not (unused and rule.in_use) and not (plain and rule.stands_out)
        ]
    )


_ALWAYS = frozenset(number for number, (rule, _) in enumerate(RULES) if not rule.types)
_PREFIXES = tuple(
    (type_[:-1], number)
    for number, (rule, _) in enumerate(RULES)
    for type_ in rule.types
    if type_.endswith("*")
)


def _naming() -> dict[str, frozenset[int]]:
    """Type of operation -> the rules that name it and those that look at all, by their numbers."""
    found: dict[str, frozenset[int]] = {}
    for number, (rule, _) in enumerate(RULES):
        for type_ in rule.types:
            found[type_] = found.get(type_, _ALWAYS) | {number}
    return found


_NAMING = _naming()
