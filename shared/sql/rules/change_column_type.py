"""The type of a column changes in a way that copies the table."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.rules.rule import Finding, Rule, table
from shared.sql.step import Step

RULE = Rule(
    id="change-column-type",
    types=("ALTER_COLUMN_TYPE",),
    risk=Risk.HIGH,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect=(
        "Every row is written again and every index on the column is built again, while "
        "nobody can read."
    ),
    remedy=(
        "Run it as a risky migration. A wider varchar, text, or a numeric of the same "
        "scale is free, "
        "but not its index where that is of a partitioned table, or GIN over an array."
    ),
    source="PostgreSQL manual, ALTER TABLE, Notes; measured: docs/validator.md",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
CREATE TABLE posts (id bigint PRIMARY KEY, tags text[]);
CREATE INDEX ON posts USING gin (tags);
CREATE TABLE hits (at date, path text, page text) PARTITION BY RANGE (at);
CREATE TABLE hits_2026 PARTITION OF hits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX ON hits (path);
""",
    bad=(
        "ALTER TABLE users ALTER COLUMN age TYPE bigint",
        "ALTER TABLE users ALTER email TYPE varchar(80)",
        "ALTER TABLE posts ALTER tags TYPE text[]",
        "ALTER TABLE hits ALTER path TYPE varchar",
    ),
    good=(
        "ALTER TABLE users ALTER email TYPE varchar",
        "ALTER TABLE hits ALTER page TYPE varchar",
    ),
)


def check(step: Step, operation: Operation) -> Finding | None:
    column = f"{table(operation)}.{operation.columns[0]}"
    if "old-type-unknown" in operation.notes:
        return Finding(operation, f"{column}: without the schema the old type is not known")
    if operation.rewrites:
        return Finding(operation, f"{column} changes its type: every row is copied")
    if "index-rebuilt" in operation.notes:
        return Finding(operation, f"{column} changes its type: its indexes are built again")
    return None
