"""Every row of docs/guide.md, typed as it stands there, on the running stack."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.compose_stack import ComposeJourney, ComposeStack
from tests.support.container_engine import ROOT

TABLE = re.compile(
    r"^\| (?P<section>[^|]+) \| (?P<guide>.+?) \| (?P<how>[^|]*?) \| `(?P<here>.+)` \|$"
)
MIGRATIONS = {
    "001_add_user_preferences.sql":
        "ALTER TABLE guide_users ADD COLUMN preferences jsonb DEFAULT '{}';",
    "002_drop_unused_table.sql": "DROP TABLE guide_unused;",
    "003_major_schema_change.sql": "ALTER TABLE guide_users ALTER COLUMN age TYPE bigint;",
    "latest.sql": "CREATE TABLE guide_latest (id bigint PRIMARY KEY);",
}  # fmt: skip
BEFORE = """
    CREATE TABLE guide_users (id bigint PRIMARY KEY, age integer);
    CREATE TABLE guide_unused (id bigint PRIMARY KEY);"""
PLACE = ROOT / "migrations"


@dataclass(frozen=True)
class Row:
    section: str
    guide: str
    how: str
    here: str


def rows() -> list[Row]:
    lines = (ROOT / "docs/guide.md").read_text(encoding="utf-8").splitlines()
    found = [TABLE.match(line) for line in lines if line.startswith("| ")]
    return [Row(**match.groupdict()) for match in found if match and match["guide"] != "the guide"]


ROWS = rows()


@pytest.fixture(scope="module")
def typed(stack: ComposeStack, journey: ComposeJourney) -> Iterator[ComposeStack]:
    """A checkout with the guide's migration files in it, and a database that they fit."""
    assert not PLACE.exists(), f"{PLACE} is in the way"
    # By a job, for what changes the schema past the stack is a finding of the health check.
    job = journey.submit(f"guide_{int(time.time()):x}.sql", BEFORE)
    assert journey.until_ended(job) == "completed"
    example = ROOT / "compose/migrations/migration.sql"
    PLACE.mkdir()
    try:
        example.write_text("ALTER TABLE guide_users ADD COLUMN note text;", encoding="utf-8")
        for name, text in MIGRATIONS.items():
            (PLACE / name).write_text(text, encoding="utf-8")
        yield stack
    finally:
        example.unlink(missing_ok=True)
        shutil.rmtree(PLACE)
        journey.as_application("DROP TABLE IF EXISTS guide_users, guide_unused, guide_latest")
        _drop_what_was_restored(stack)


def _drop_what_was_restored(stack: ComposeStack) -> None:
    """A rollback point is restored beside the serving database; a fork wants one alone."""
    serving = serving_side(stack)
    named = "SELECT datname FROM pg_database WHERE datname LIKE 'app_restored_%'"
    for name in stack.sql(f"postgres-{serving}", named, "postgres").split():
        stack.sql(f"postgres-{serving}", f'DROP DATABASE "{name}"', "postgres")


def serving_side(stack: ComposeStack) -> str:
    status = stack.execute("migration-proxy", "bluegreen", "proxy", "status", "--json")
    return str(status.body["pooled"])


def test_the_table_is_read_whole() -> None:
    lines = (ROOT / "docs/guide.md").read_text(encoding="utf-8").splitlines()
    assert len(ROWS) == sum(line.startswith("| ") for line in lines) - 1
    for row in ROWS:
        assert row.how.split()[0].strip(":,;") in ("verbatim", "with", "replaced"), row


@pytest.mark.parametrize("row", ROWS, ids=[f"{n}-{row.section}" for n, row in enumerate(ROWS, 1)])
def test_a_row_works_as_it_stands(typed: ComposeStack, row: Row) -> None:
    script = row.here.replace(r"\|", "|")
    if "$SERVING" in script:
        script = script.replace("$SERVING", serving_side(typed))
    if "$POINT" in script:
        script = script.replace("$POINT", newest_point(typed))
    said = typed.shell(script, limit_s=600)
    assert said.code == 0, f"{script}\n{said.out[-1500:]}\n{said.err[-1500:]}"


def newest_point(stack: ComposeStack) -> str:
    """A whole rollback point of a job that has ended."""
    said = stack.execute("backup", "bluegreen", "backups", "list", "--json")
    points = [point["name"] for point in said.body["points"] if point.get("verified")]
    assert points, said.out
    return f"/var/lib/postgresql/backups/{points[0]}.sql.zst"
