"""A row that the application moves to another partition: to the triggers there it is born.

What `down` computes may be less than the source had (a rounded number, a cut text). A row that is
really born has nothing in its landing column; a moved one brings it along, and it still holds where
the file makes of it what the row has now. That is how it is in a row that stays, too: who gives it
the value that it has changes nothing. Source: PostgreSQL manual, "UPDATE", "Notes": moving a row is
a DELETE and an INSERT, for row triggers too.
"""

from __future__ import annotations

from shared.domain.identifiers import ident
from shared.mapping.expressions import as_query, differs
from shared.mapping.model import Column, Table


def moved_row(table: Table, column: Column, stays: str) -> str:
    """Statements for the reverse trigger that set the variable `stays`, false until then.

    Empty where the file computes nothing of the column that `down` reads.
    """
    items = ""
    results: dict[str, str] = {}
    for number, chain in enumerate(table.chains):
        if column.final not in chain.inputs:
            continue
        more, found = as_query(chain, "new", lambda final: final, prefix=f"moved_{number}_")
        items += more
        results |= {name: text for name, text in found.items() if name in column.down_reads}
    if not results:
        return ""
    now = [f"new.{ident(name)}" for name in results]
    return f"""
    IF tg_op = 'INSERT' AND new.{ident(column.final)} IS NOT NULL THEN
        BEGIN
            SELECT NOT ({differs(results.values(), now)}) INTO {stays}
            FROM (SELECT) AS moved{items};
        EXCEPTION WHEN OTHERS THEN
            {stays} := false;
        END;
    END IF;"""
