"""The user's file on a server: verbatim, in one message with the row that says it is applied.

A part is what one transaction applies. Its message is BEGIN, the row in `bluegreen.applied`, our
statements before, the file's text as it stands, our statements after, COMMIT. The server works
through it whether or not we live; a second run of the same part waits at the row and then fails.
Errors name the file with line and column, as `psql` would, and where the server names no place,
those of the statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shared.domain.errors import MigrationError
from shared.domain.identifiers import ident, literal
from shared.domain.migration import Job
from shared.ports import Node, Session
from shared.sql.parse import statements
from shared.sql.source import Place, Source

IS_APPLIED = "SELECT EXISTS (SELECT FROM bluegreen.applied WHERE job = %s AND part = %s)"
SESSIONS = """
SELECT pid, round(extract(epoch FROM clock_timestamp() - xact_start))::int
FROM pg_stat_activity WHERE application_name = %s AND pid <> pg_backend_pid() ORDER BY pid
"""
END_SESSIONS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE application_name = %s AND pid <> pg_backend_pid()
"""
DUPLICATE = "23505"


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the file, and what of ours runs in the same transaction."""

    name: str
    text: str
    start: int
    """Byte offset of `text` in the file."""
    run_as: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    begin: str = "BEGIN"
    """In the author's own words, where the file has them."""


def session_name(job: Job) -> str:
    """application_name of the session that runs the file: how anybody finds it."""
    return f"bluegreen/file/{job.id}"


def is_applied(session: Session, job: Job, part: str) -> bool:
    return bool(session.value(IS_APPLIED, [job.id, part]))


def running_for_s(session: Session, job: Job) -> int | None:
    """How long the file has been running on that server, in whole seconds; None when it is not."""
    found = session.row(SESSIONS, [session_name(job)])
    return None if found is None else found[1] or 0


def end_sessions(session: Session, job: Job) -> bool:
    """Tell every session that runs the file to go; whether none was left."""
    return not session.value(END_SESSIONS, [session_name(job)])


def run_part(
    node: Node, job: Job, part: Part, *, limit_s: float = 0, lock_limit_s: float | None = None
) -> None:
    """Apply one part, or nothing of it. Raises the server's error with its place in the file."""
    with ready(node, job, limit_s=limit_s, lock_limit_s=lock_limit_s) as run:
        run(part)


@contextmanager
def ready(
    node: Node, job: Job, *, limit_s: float = 0, lock_limit_s: float | None = None
) -> Iterator[Callable[[Part], None]]:
    """`run_part` over a session that stands already, for whoever must be quick."""
    with node.session(
        limit_s=limit_s, lock_limit_s=lock_limit_s, application_name=session_name(job)
    ) as session:
        yield lambda part: _run(node, session, job, part)


def _run(node: Node, session: Session, job: Job, part: Part) -> None:
    head = "\n".join(
        [
            f"{part.begin};",
            f"INSERT INTO bluegreen.applied VALUES ({literal(job.id)}, {literal(part.name)});",  # noqa: S608 (quoted)
            *(f"{statement};" for statement in part.before),
            f"SET LOCAL ROLE {ident(part.run_as)};\n",
        ]
    )
    tail = "\n;\n" + "\n".join(
        ["RESET ROLE;", "RESET ALL;", *(f"{statement};" for statement in part.after), "COMMIT;"]
    )
    try:
        session.script(head + part.text + tail)
    except MigrationError as error:
        if error.code == DUPLICATE and is_applied_elsewhere(node, job, part):
            return
        raise placed(error, job, part, head) from error


def is_applied_elsewhere(node: Node, job: Job, part: Part) -> bool:
    """Whether somebody else applied it meanwhile: our transaction waited for theirs."""
    with node.session() as session:
        return is_applied(session, job, part.name)


def placed(error: MigrationError, job: Job, part: Part, head: str = "") -> MigrationError:
    """The same error, with file, line and column in front."""
    place = _place(error, job, part, head)
    where = f"{job.file_name}:{place}" if place else f"{job.file_name}, our own statements"
    better = type(error)(f"{where}: {error.message}", remedy=error.remedy, code=error.code)
    better.position, better.completed = error.position, error.completed
    return better


def _place(error: MigrationError, job: Job, part: Part, head: str) -> Place | None:
    source = Source(job.sql)
    if error.position is not None:
        inside = part.text[: error.position - 1 - len(head)]
        in_part = len(head) < error.position <= len(head) + len(part.text)
        return source.place(part.start + len(inside.encode())) if in_part else None
    if error.completed is None:
        return None
    number = error.completed - len(statements(head))
    found = [s for s in statements(job.sql) if s.start >= part.start]
    end = part.start + len(part.text.encode())
    inside_part = [statement for statement in found if statement.start < end]
    return inside_part[number].place if 0 <= number < len(inside_part) else None
