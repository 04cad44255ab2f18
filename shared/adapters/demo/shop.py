"""Builds the shop as the application role, so that it owns what it works with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources

import psycopg

from shared.adapters.postgres import PsycopgSession

BUILD_LIMIT_S = 300


@contextmanager
def open_session(dsn: str) -> Iterator[PsycopgSession]:
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        yield PsycopgSession(connection)


def build_shop(dsn: str, rows: int) -> None:
    """Create the tables and fill them; `rows` is the size of the largest one."""
    here = resources.files(__package__)
    with open_session(dsn) as session:
        session.execute(f"SET statement_timeout = '{BUILD_LIMIT_S}s'")
        session.execute("SELECT set_config('demo.rows', %s, false)", (str(rows),))
        for name in ("schema.sql", "rows.sql"):
            with session.transaction():
                session.execute((here / name).read_text(encoding="utf-8"))
        session.execute("ANALYZE")
