"""A stack with its control database and no agent that takes a job; files to enqueue there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.install import install
from tests.support.stack import Stack, running_stack

SAFE = "CREATE TABLE notes_{n} (id bigint PRIMARY KEY);\n"
RISKY = "CREATE TABLE t{n} (a int);\nALTER TABLE users DROP COLUMN fax;\n"


@contextmanager
def idle_stack() -> Iterator[Stack]:
    with running_stack(agents=False) as found:
        database = ControlDatabase(found.settings, application_name="test")
        with database.session() as session:
            install(session)
        database.close()
        with found.connect("direct") as application:
            application.execute("CREATE TABLE users (id bigint PRIMARY KEY, fax text)")
        yield found


def forget_jobs(stack: Stack) -> None:
    """As if none had been enqueued."""
    with stack.connect("control") as control:
        control.execute("TRUNCATE bluegreen_control.job CASCADE")
        control.execute("UPDATE bluegreen_control.lease SET job = NULL")


def enqueued(stack: Stack) -> int:
    with stack.connect("control") as control:
        row = control.execute("SELECT count(*) FROM bluegreen_control.job").fetchone()
    assert row is not None
    return int(row[0])
