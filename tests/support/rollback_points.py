"""Rollback points of a server with a little of everything, and what is left of their proof."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyrage

from shared.adapters.backup.backup_directory import BackupDirectory
from shared.adapters.backup.point_work import dump_data_part
from shared.domain.environment import Colour
from shared.domain.kinds import BackupScope, Kind
from shared.domain.migration import Job, RunOptions
from shared.domain.rollback_point import Manifest
from shared.settings import Settings
from tests.support.paper_stack import PaperStack, paper_stack

SCHEMA = """
    CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE TABLE users (id bigserial PRIMARY KEY, name text NOT NULL, mood mood DEFAULT 'glad');
    CREATE TABLE "Odd ""Orders" (id int PRIMARY KEY, user_id bigint REFERENCES users, note text);
    CREATE TABLE log (id int, at date) PARTITION BY RANGE (at);
    CREATE TABLE log_2026 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no'; END$$;
    INSERT INTO users (name) SELECT E'n\\\\.\\n' || n FROM generate_series(1, 1000) AS n;
    INSERT INTO "Odd ""Orders" VALUES (1, 1, '\\.'), (2, 2, NULL);
    INSERT INTO log SELECT n, '2026-02-01' FROM generate_series(1, 7) AS n;
    CREATE TRIGGER refuses BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION no();
    CREATE POLICY own ON users TO app USING (true);
    GRANT SELECT ON users TO app;
"""


@contextmanager
def stack_with_rows(root: Path) -> Iterator[PaperStack]:
    with paper_stack(root) as stack:
        with stack.blue.connect("app", "app") as connection:
            connection.execute(SCHEMA)
        yield stack


def with_backups_in(folder: Path, stack: PaperStack) -> PaperStack:
    """The same servers, for one test: nothing of its settings is seen by the next."""
    settings = stack.settings.model_copy(update={"backup_dir": folder / "backups"})
    return replace(stack, settings=settings)


def job(scope: BackupScope | None = None) -> Job:
    return Job(
        id="20261123-7f3a", database="app", kind=Kind.RISKY, file_name="f.sql", sql="",
        options=RunOptions(backup=scope), source=Colour.BLUE, epoch=1, attempt=1,
    )  # fmt: skip


def quiet(_progress: float | None, _sentence: str) -> None: ...


def taken(stack: PaperStack, scope: BackupScope, *tables: str) -> Manifest:
    point = BackupDirectory(stack.settings).take_schema(job(), scope)
    if scope == "schema":
        return point
    return dump_data_part(stack.settings, point, tables, quiet)


def leftovers(stack: PaperStack) -> list[str]:
    with stack.control.connect() as connection:
        databases = connection.execute(
            "SELECT datname FROM pg_database WHERE datname NOT IN "
            "('postgres', 'template0', 'template1')"
        ).fetchall()
        roles = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres'"
        ).fetchall()
    return [name for (name,) in databases + roles]


def encrypting(stack: PaperStack, folder: Path) -> Settings:
    """Settings with two recipients, whose keys nobody here has."""
    pairs = [pyrage.x25519.Identity.generate() for _ in range(2)]
    (folder / "recipient").write_text(f"# created: today\n{pairs[1]}\n")
    (folder / "stranger").write_text(str(pyrage.x25519.Identity.generate()))
    backup = stack.settings.backup.model_copy(
        update={"recipients": tuple(str(pair.to_public()) for pair in pairs)}
    )
    return stack.settings.model_copy(update={"backup": backup})
