"""A partition that the application empties, of a table that is replicated through its root.

TRUNCATE of it is not sent ("CREATE PUBLICATION", `publish_via_partition_root`), and rows that the
source keeps would come back with a rollback. So its rows are deleted first, one by one, which is
sent; then the server empties what is empty. TRUNCATE of the root is sent as such, and says so to
the triggers of its partitions, which the server fires between its own two.
"""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.identifiers import ident, literal
from shared.domain.objects import JOB, OWNER_ROLE, REVERSE_TRIGGER
from shared.mapping.derived.back import BEGIN_GIVING, END_GIVING
from shared.mapping.model import Mapping
from shared.mapping.name_states import NameState
from shared.mapping.trigger_statements import (
    PINNED_PATH,
    create_function,
    create_trigger,
    drop_trigger,
)

TELLS, DELETES = "tell_emptied", "delete_emptied"
QUIETLY = {"session_replication_role": "replica"}

WHOLE = "bluegreen.emptied_whole"
"""Session setting: the root whose TRUNCATE is under way."""
TELL = f"""
BEGIN
    PERFORM set_config({literal(WHOLE)},
                       CASE tg_when WHEN 'BEFORE' THEN tg_relid::text ELSE '' END, true);
    RETURN NULL;
END"""
DELETE = f"""
BEGIN
    IF coalesce(current_setting({literal(WHOLE)}, true), '')
       <> pg_partition_root(tg_relid)::oid::text THEN
        {BEGIN_GIVING}
        EXECUTE format('DELETE FROM ONLY %I.%I', tg_table_schema, tg_table_name);
        {END_GIVING}
    END IF;
    RETURN NULL;
END"""


def create_emptied_triggers(mapping: Mapping, state: NameState) -> list[str]:
    """Ordinary ones, on the target: they fire for the application only. The rows go without firing
    anything, the tables that follow this one included: TRUNCATE would not either."""
    if not any(table.emptied_by_rows for table in mapping.tables):
        return []
    deleting = f"{ident(JOB, DELETES)}()"
    statements = [
        create_function(TELLS, TELL, PINNED_PATH),
        create_function(DELETES, DELETE, PINNED_PATH | QUIETLY),
        f"ALTER FUNCTION {deleting} SECURITY DEFINER",
        f"ALTER FUNCTION {deleting} OWNER TO {ident(OWNER_ROLE)}",
    ]
    for when, relation, function in _places(mapping, state):
        act = f"{when} TRUNCATE"
        statements.append(create_trigger(_name(when), act, relation, function, each="STATEMENT"))
    return statements


def drop_emptied_triggers(mapping: Mapping, state: NameState) -> list[str]:
    return [drop_trigger(_name(when), relation) for when, relation, _ in _places(mapping, state)]


def _places(mapping: Mapping, state: NameState) -> Iterator[tuple[str, str, str]]:
    """When, on what, and which function."""
    for table in mapping.tables:
        if table.emptied_by_rows:
            yield "BEFORE", table.name(state).sql, TELLS
            yield "AFTER", table.name(state).sql, TELLS
        for name in table.emptied_by_rows:
            yield "BEFORE", name.sql, DELETES


def _name(when: str) -> str:
    return f"{REVERSE_TRIGGER}_emptied_{when.lower()}"
