"""Partitions from the text alone: a DEFAULT one beside the new one is taken to be there, unless the
file shows that it does not matter (measured on real servers with one: tests/data/unseen)."""

import pytest

from shared.domain.kinds import Kind
from shared.sql.analysis import build
from shared.sql.validate import validate

DEFAULT = "the DEFAULT partition of log (if any)"
NEW = "CREATE TABLE log_26 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
ATTACH = "ALTER TABLE log ATTACH PARTITION old FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');"
OURS = "at IS NOT NULL AND at >= '2025-01-01' AND at < '2026-01-01'"


def checked(table: str, condition: str) -> str:
    """It holds for every row of the table, and nobody waited for that to be seen."""
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT c CHECK ({condition}) NOT VALID; "
        f"ALTER TABLE {table} VALIDATE CONSTRAINT c; "
    )


@pytest.mark.parametrize(
    "sql",
    [
        NEW,
        "CREATE TABLE log_de PARTITION OF log FOR VALUES IN ('de');",
        "CREATE TABLE IF NOT EXISTS log_26 PARTITION OF log FOR VALUES FROM (2026) TO (2027);",
        "DO $$ BEGIN EXECUTE 'CREATE TABLE l PARTITION OF log FOR VALUES IN (7)'; END $$;",
        checked("rest", "at < '2026-06-01' OR at >= '2027-01-01'") + NEW,
        checked("rest", "NOT (at >= '2026-01-01' AND at < '2026-12-01')") + NEW,
        checked("rest", "kind <> 'de'")
        + "CREATE TABLE l PARTITION OF log FOR VALUES IN ('de', 'fr');",
    ],
)
def test_a_default_partition_may_be_searched(sql: str) -> None:
    found = validate(sql, file="f")

    assert DEFAULT in found.blocks_reads_of
    assert "log" in found.blocks_reads_of
    assert found.locks[DEFAULT] == "AccessExclusiveLock"
    assert found.migration_type is Kind.RISKY
    assert any(DEFAULT in each.why for each in found.needs)


def test_attaching_keeps_out_only_who_uses_the_two() -> None:
    found = validate("CREATE TABLE old (LIKE log); " + ATTACH, file="f")

    assert found.blocks_reads_of == found.blocks_writes_of == (DEFAULT,)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE log_rest PARTITION OF log DEFAULT;",
        "CREATE TABLE log_0 PARTITION OF log FOR VALUES WITH (MODULUS 4, REMAINDER 0);",
        checked("rest", "at < '2026-01-01' OR at >= '2027-01-01'") + NEW,
        checked("rest", "NOT (at >= '2026-01-01' AND at < DATE '2027-01-01')") + NEW,
        checked("rest", "kind NOT IN ('de', 'fr')")
        + "CREATE TABLE l PARTITION OF log FOR VALUES IN ('de');",
        checked("old", OURS) + ATTACH,
        checked("old", "kind = 'de' AND kind IS NOT NULL")
        + "ALTER TABLE log ATTACH PARTITION old FOR VALUES IN ('de');",
        "CREATE TABLE log (at date) PARTITION BY RANGE (at); " + NEW,
    ],
)
def test_what_the_file_proves_needs_no_search(sql: str) -> None:
    found = validate(sql, file="f")

    assert not any(DEFAULT in each for each in (*found.locks, *found.blocks_reads_of))
    assert found.blocks_writes_of == ()


@pytest.mark.parametrize(
    "condition",
    [
        OURS.removeprefix("at IS NOT NULL AND "),
        OURS.replace("2025", "2024"),
        OURS.replace("2026", "2027"),
        OURS.replace("at <", "seen <"),
    ],
)
def test_a_check_that_proves_too_little_lets_the_table_be_searched(condition: str) -> None:
    found = validate(checked("old", condition) + ATTACH, file="f")

    assert set(found.blocks_reads_of) == {"old", DEFAULT}


def test_with_a_schema_it_is_known() -> None:
    catalog, _ = build("CREATE TABLE log (at date) PARTITION BY RANGE (at);", version=18)
    found = validate(NEW, file="f", catalog=catalog)

    assert found.blocks_reads_of == ()
    assert found.migration_type is Kind.SAFE


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("alembic_version", "version_num"),
        ("public.schema_migrations", "version"),
        ('"__EFMigrationsHistory"', '"MigrationId"'),
    ],
)
def test_what_a_tool_writes_of_its_files_is_one_row(table: str, key: str) -> None:
    """Every file of Alembic ends so, in the transaction that changes the tables."""
    change = "BEGIN; ALTER TABLE log ADD COLUMN note text;"
    noted = f"UPDATE {table} SET {key} = 'b2' WHERE {table}.{key} = 'a1'; COMMIT;"
    found = validate(change + noted, file="f")
    assert found.blocks_reads_of == ()
    assert found.migration_type is Kind.SAFE

    unnoted = f"UPDATE {table} SET {key} = 'b2' WHERE {key} <> 'a1'; COMMIT;"
    assert validate(change + unnoted, file="f").blocks_reads_of == ("log",)
    other = "UPDATE log SET note = 'b2' WHERE version_num = 'a1'; COMMIT;"
    assert validate(change + other, file="f").blocks_reads_of == ("log",)
