"""Rows that a file adds: only to tables of its own, and only such that can follow.

Tables are told apart by oid, as the server finds them at that moment: a name alone may mean another
table under another search_path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from shared.mapping.allowed import relation_names
from shared.mapping.snapshot import SeenRelation, Snapshot
from shared.mapping.statements import refused
from shared.mapping.table_copies import TableCopy, table_copy
from shared.sql.parse import Statement

ONE_ROW = "copy one row of one table for one row, by key"
Find = Callable[[tuple[str, ...]], SeenRelation | None]
"""The relation that a name, as written, means now."""


def copied_rows(
    statement: Statement, start: Snapshot, copies: Iterable[int], find: Find
) -> TableCopy | None:
    """What the statement copies from a table that others write too; None where nothing.

    `start` is what was there before the file, `copies` are the new tables that it filled so.
    Raises Refused for rows that could not follow.
    """
    kind = statement.node.get("objtype", "OBJECT_TABLE")
    if statement.tag not in ("InsertStmt", "CreateTableAsStmt") or kind != "OBJECT_TABLE":
        return None
    filled = set(copies)
    if statement.tag == "InsertStmt":
        _check_target(statement, start, filled, find)
    query = "selectStmt" if statement.tag == "InsertStmt" else "query"
    found = [find(name) for name in dict.fromkeys(relation_names(statement.node.get(query, {})))]
    read = list({relation.oid: relation for relation in found if relation is not None}.values())
    shared = [r for r in read if r.oid in start.relations or r.oid in filled or not r.is_table]
    if not shared or statement.node.get("into", {}).get("skipData"):
        return None
    copy = table_copy(statement)
    if copy is None or len(read) > 1 or not shared[0].is_table or shared[0].oid in filled:
        raise refused(
            statement,
            "rows that are copied from a view, a copy, or more than one table could not follow what"
            " is written later",
            ONE_ROW,
        )
    return copy


def _check_target(statement: Statement, start: Snapshot, filled: set[int], find: Find) -> None:
    relation = statement.node["relation"]
    names = (relation["schemaname"],) if relation.get("schemaname") else ()
    target = find((*names, relation["relname"]))
    if target is None:
        return  # the server will say so
    if target.oid in start.relations:
        raise refused(
            statement,
            "rows that the file inserts into an existing table would be on one side only",
            "insert them in a safe migration before or after this one, or put"
            " `-- bluegreen: at-cutover` before the statement (it runs in the pause)",
        )
    if target.oid in filled:
        raise refused(statement, "a table that is a copy gets other rows, too", "fill it once")
