"""Statements that PostgreSQL runs in no transaction block: CREATE INDEX CONCURRENTLY and friends.

Nothing can be written in their transaction, so a note goes before them: the indexes that stood
then. With it the next look knows what came of one whose worker died: an index that is new and valid
is what was wanted; one that is new, invalid and built by nobody is dropped, and the statement is
run again. Source: PostgreSQL manual, "Building Indexes Concurrently".
"""

from __future__ import annotations

import json
from typing import Any

from shared.domain.errors import MigrationError
from shared.domain.identifiers import ident
from shared.domain.migration import Job
from shared.ports import Node, Session
from shared.sql.parse import Statement
from workers.replicator import run_file
from workers.replicator.run_file import Part

BEGUN = " begun"
MAKES_INDEXES = ("IndexStmt", "ReindexStmt")
GONE = ("42704", "42P01")
"""No such object, no such table: what a DROP finds that was done before its worker died."""
READ_NOTE = "SELECT note FROM bluegreen.applied WHERE job = %s AND part = %s"
WRITE_NOTE = """
INSERT INTO bluegreen.applied (job, part, note)
SELECT %s, %s, jsonb_build_object('indexes', coalesce(jsonb_agg(indexrelid::bigint), '[]'))
FROM pg_index ON CONFLICT DO NOTHING
"""
WRITE_APPLIED = "INSERT INTO bluegreen.applied (job, part) VALUES (%s, %s) ON CONFLICT DO NOTHING"
NEW_INDEXES = """
SELECT format('%%I.%%I', n.nspname, c.relname), i.indisvalid, i.indrelid = to_regclass(%s)
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'i' AND n.nspname NOT LIKE 'pg~_t%%' ESCAPE '~'
  AND NOT %s::jsonb @> to_jsonb(i.indexrelid::bigint)
  AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS building
                  WHERE building.index_relid = i.indexrelid)
"""
NOTES = "SELECT note FROM bluegreen.applied WHERE job = %s AND note ? 'indexes'"


def run_outside(node: Node, job: Job, part: Part, statement: Statement) -> None:
    """Run it once, whatever became of an earlier run. Raises the server's error with its place."""
    with node.session(limit_s=0) as session:
        note = session.value(READ_NOTE, [job.id, part.name + BEGUN])
        if note is None:
            session.execute(WRITE_NOTE, [job.id, part.name + BEGUN])
        elif _came_to_its_end(session, statement, note, part.run_as):
            session.execute(WRITE_APPLIED, [job.id, part.name])
            return
    try:
        with node.session(limit_s=0, application_name=run_file.session_name(job)) as session:
            for setting in part.before:
                session.execute(setting)
            session.execute(f"SET ROLE {ident(part.run_as)}")
            session.script(part.text)
    except MigrationError as error:
        drop_left_over_indexes(node, job)
        if note is None or statement.tag != "DropStmt" or error.code not in GONE:
            raise run_file.placed(error, job, part) from error
    with node.session() as session:
        session.execute(WRITE_APPLIED, [job.id, part.name])


def drop_left_over_indexes(node: Node, job: Job, *, limit_s: float = 0) -> None:
    """Drop every invalid index that came since a note of this job and that nobody builds."""
    with node.session(limit_s=limit_s) as session:
        for (note,) in session.rows(NOTES, [job.id]):
            _drop_invalid(session, note)


def _came_to_its_end(
    session: Session, statement: Statement, note: dict[str, Any], run_as: str
) -> bool:
    """Whether the server went on to the end after the worker died; what is half done goes."""
    if statement.tag not in MAKES_INDEXES:
        return False
    _drop_invalid(session, note)
    if statement.tag != "IndexStmt":
        return False
    relation = statement.node.get("relation", {})
    names = [relation[part] for part in ("schemaname", "relname") if relation.get(part)]
    with session.transaction():
        session.execute(f"SET LOCAL ROLE {ident(run_as)}")  # names are looked up as it does
        found = session.rows(NEW_INDEXES, [ident(*names), _indexes(note)])
    return any(is_valid and is_there for _, is_valid, is_there in found)


def _drop_invalid(session: Session, note: dict[str, Any]) -> None:
    for name, is_valid, _ in session.rows(NEW_INDEXES, ["pg_catalog.pg_class", _indexes(note)]):
        if not is_valid:
            session.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def _indexes(note: dict[str, Any]) -> str:
    return json.dumps(note["indexes"])
