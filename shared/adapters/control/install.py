"""The control database has its schema: every file of `schema/`, in order, at every start.

The files leave what is there alone, so a newer program adds what it needs to an older database.
"""

from __future__ import annotations

from importlib.resources import files

from shared.adapters.postgres import PsycopgSession

_LOCK = "bluegreen_control.install"


def install(session: PsycopgSession) -> None:
    """Apply all files in one transaction; two installers wait for one another."""
    folder = files(__package__).joinpath("schema")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    with session.transaction():
        session.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (_LOCK,))
        session.execute("SET LOCAL client_min_messages = warning")
        for name in names:
            session.execute(folder.joinpath(name).read_text(encoding="utf-8"))
