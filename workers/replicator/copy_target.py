"""The database into which green is copied: empty, closed, with the source's definitions.

Nothing that is not ours is ever dropped: what Bluegreen neither left nor put there is named, and
the job is refused. Definitions are loaded in one message with the row that says so, as the file is.
"""

from __future__ import annotations

from shared.domain.errors import MigrationError, Refused
from shared.domain.identifiers import ident, literal
from shared.domain.migration import Job
from shared.ports import Definitions, Node, Session
from workers.replicator import copy_roles, freeze, run_file

TABLES = "copy: tables"
REST = "copy: rest"
"""Parts of a copy that are applied on the target (bluegreen.applied)."""
SHOWN = 5
CONTENTS = "SELECT kind, name FROM bluegreen.contents()"
MAY_BE_EMPTIED = "SELECT bluegreen.may_be_emptied(%s)"
MAKE_EMPTY = "SELECT bluegreen.make_empty(%s)"
FENCE = "SELECT bluegreen.fence()"
HAS_STANDING = "SELECT to_regprocedure('bluegreen.make_empty(text)') IS NOT NULL"
DATABASE_SETTINGS = """
SELECT unnest(setconfig) FROM pg_db_role_setting WHERE setrole = 0
   AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
FILLED_VIEWS = """
SELECT format('%I.%I', nspname, relname)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
WHERE relkind = 'm' AND relispopulated
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid
                  AND deptype = 'e')
ORDER BY c.oid
"""


def make_ready(source: Session, target: Session, job: Job) -> None:
    """Empty and closed, with the job's own schema and every role that the definitions name.

    Raises Refused when something stands there that no job of ours left.
    """
    if not target.value(HAS_STANDING):
        raise Refused(
            f"expected schema bluegreen in database {job.database} of {job.target}, found none",
            remedy="prepare that server as docs/managed-servers.md says",
        )
    found = target.rows(CONTENTS)
    if found:
        if not target.value(MAY_BE_EMPTIED, [job.id]):
            shown = ", ".join(f"{kind} {name}" for kind, name in found[:SHOWN])
            more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            raise Refused(
                f"expected database {job.database} of {job.target} to be empty, or left there by a"
                f" job and closed, found {shown}{more}; nothing was dropped",
                remedy="drop what is there yourself, or name an empty database",
            )
        target.value(MAKE_EMPTY, [job.id])
    copy_roles.make(source, target)
    target.value(FENCE)
    freeze.install(target, job)


def load_tables(source: Session, target: Node, job: Job, wanted: Definitions) -> None:
    """What rows need, and what ALTER DATABASE set for everyone."""
    settings = [
        f"ALTER DATABASE {ident(job.database)} SET {copy_roles.setting_sql(setting)}"
        for (setting,) in source.rows(DATABASE_SETTINGS)
    ]
    _load(target, job, TABLES, wanted.tables, settings)


def load_rest(target: Node, job: Job, wanted: Definitions, filled_views: list[str]) -> None:
    """Over the rows: indexes, foreign keys, triggers; then materialized views and statistics."""
    refresh = [f"REFRESH MATERIALIZED VIEW {name}" for name in filled_views]
    _load(target, job, REST, wanted.rest, [*refresh, "ANALYZE"])


def filled_views(source: Session) -> list[str]:
    """Names of materialized views that hold rows, in an order in which they can be refreshed."""
    return [name for (name,) in source.rows(FILLED_VIEWS)]


def _load(target: Node, job: Job, part: str, text: str, after: list[str]) -> None:
    head = f"BEGIN;\nINSERT INTO bluegreen.applied VALUES ({literal(job.id)}, {literal(part)});\n"
    tail = "".join(f"{statement};\n" for statement in ("RESET ALL", *after, "COMMIT"))
    name = run_file.session_name(job)
    with target.session(limit_s=0, application_name=name) as session:
        try:
            session.script(f"{head}{text}\n;\n{tail}")
        except MigrationError as error:
            with target.session() as other:
                if error.code == run_file.DUPLICATE and run_file.is_applied(other, job, part):
                    return  # another worker's message came first; ours waited for it
            raise _of_definitions(error, job) from error


def _of_definitions(error: MigrationError, job: Job) -> MigrationError:
    better = type(error)(
        f"{job.target} does not take the definitions of {job.source}: {error.message}",
        remedy=error.remedy or "give the replicator what it lacks there (docs/managed-servers.md)",
        code=error.code,
    )
    better.completed = error.completed
    return better
