"""Make the target "the source plus the file" again, after it has served and was left.

While it served, the application chose values that the file would compute otherwise. An update in
the role of replication lets the forward trigger compute the row anew.
"""

from __future__ import annotations

from shared.domain.identifiers import ident
from shared.mapping.comparison import settings_for
from shared.mapping.derived.comparison import DerivedComparison
from shared.mapping.derived_model import Derived
from shared.mapping.expressions import FORCE
from shared.mapping.keyed_rows import KeyedRows
from shared.mapping.made import as_made
from shared.mapping.model import Mapping, Table
from shared.mapping.target_comparison import TargetComparison


def rederive(mapping: Mapping) -> list[list[str]]:
    """One transaction for each table, on the target in state sync; may be repeated.

    They run beside the apply worker. Where the two meet in a deadlock it is ours that gives way,
    since an error in apply would disable the subscription.
    """
    tables = [
        table for table in mapping.tables if table.chains or TargetComparison(table).started()
    ]
    transactions = [[*_as_replica(table), _recompute(table)] for table in tables]
    transactions += [_follow_again(mapping, made) for made in mapping.derived]
    if made := as_made(mapping):
        transactions.append(["SET LOCAL session_replication_role = replica", *made])
    return [*transactions, ["DELETE FROM bluegreen_job.lost"]]


def _follow_again(mapping: Mapping, made: Derived) -> list[str]:
    """Derived rows that the application changed, or made alone, become what the file makes."""
    comparison = DerivedComparison(mapping, made)
    table = comparison.table
    names = [ident(column.sync) for column in table.key_columns]
    others = [ident(c.sync) for c in table.columns if c.published and not c.key] or names
    return [
        *_as_replica(made),
        comparison.remove_extra(),
        f"UPDATE {table.sync.sql} SET {others[0]} = {others[0]}"
        f" WHERE ({', '.join(names)}) IN ({comparison.not_as_the_file()})",
    ]


def _as_replica(table: Table | Derived) -> list[str]:
    local = [setting.replace("SET ", "SET LOCAL ", 1) for setting in settings_for(table)]
    return [
        *local,
        "SET LOCAL session_replication_role = replica",
        "SET LOCAL deadlock_timeout = '10ms'",
        f"SET LOCAL {FORCE} = 'on'",
    ]


def _recompute(table: Table) -> str:
    """Sets what began as a constant, and a computed column to itself, so that the trigger fires."""
    comparison = TargetComparison(table)
    values = {ident(c.sync): f"({c.start})::{c.type}" for c in comparison.started()}
    for chain in table.chains[:1]:
        computed = ident(table.column(chain.results[0].column).sync)
        values[computed] = computed
    assignments = ", ".join(f"{name} = {value}" for name, value in values.items())
    update = f"UPDATE {table.sync.sql} SET {assignments}"
    names = KeyedRows(table).key_names()
    if not names:
        return update
    return f"{update} WHERE ({', '.join(names)}) IN ({comparison.not_as_the_file()})"
