"""Refused, since rows that are written later would be computed otherwise, or not at all."""

from __future__ import annotations

from tests.corpus.case import Refusal
from tests.corpus.cases.refusals import TABLES, refusal

HALF = "CREATE FUNCTION half(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 / 2';"
QUARTER = HALF.replace("half", "quarter").replace("$1 / 2", "shape.half(shape.half($1))")
OTHER_HALF = "CREATE OR REPLACE" + HALF.removeprefix("CREATE").replace("/ 2", "/ 20")
USED = "ALTER TABLE t ADD COLUMN h int; UPDATE t SET h = half(n);"
MOOD = "CREATE TYPE mood AS ENUM ('sad', 'ok');"
OF_MOOD = MOOD + "CREATE TABLE t (id int PRIMARY KEY, v mood, w text);"
PAIR = "CREATE TYPE pair AS (m {0}, x int); CREATE TABLE t (id int PRIMARY KEY, v pair);"
CALLS = "calls function half, which the file changes or drops"
LATER = "in a migration after this one"

REFUSALS: tuple[Refusal, ...] = (
    refusal("refused_function_used_and_dropped",
            f"{HALF} {USED} DROP FUNCTION half(int)", CALLS, LATER),
    refusal("refused_function_used_and_replaced", f"{USED} {OTHER_HALF}", CALLS, LATER,
            schema=TABLES + HALF),
    refusal("refused_function_below_another_replaced",
            f"{USED.replace('half', 'quarter')} {OTHER_HALF}", CALLS, LATER,
            schema=TABLES + HALF + QUARTER),
    refusal("refused_function_of_a_copy_dropped",
            f"{HALF} CREATE TABLE c AS SELECT id, half(n) AS h FROM t;"
            "ALTER TABLE c ADD PRIMARY KEY (id); DROP FUNCTION half(int)", CALLS, LATER),
    refusal("refused_function_of_a_check_replaced",
            "CREATE OR REPLACE FUNCTION few(int) RETURNS boolean IMMUTABLE LANGUAGE sql"
            " AS 'SELECT $1 < 10'", "few is called by a CHECK", "in a safe migration",
            schema="CREATE FUNCTION few(int) RETURNS boolean IMMUTABLE LANGUAGE sql"
            " AS 'SELECT $1 < 9'; CREATE TABLE t (id int PRIMARY KEY, n int CHECK (few(n)));"),
    refusal("refused_function_of_a_domain_dropped_with_it",
            "ALTER TABLE t ALTER n TYPE int USING n::int; DROP DOMAIN small; DROP FUNCTION few(int)",
            "means nothing any more", "keep the functions",
            schema="CREATE FUNCTION few(int) RETURNS boolean IMMUTABLE LANGUAGE sql"
            " AS 'SELECT $1 < 9'; CREATE DOMAIN small AS int CHECK (few(VALUE));"
            "CREATE TABLE t (id int PRIMARY KEY, n small);"),
    refusal("refused_type_used_and_dropped",
            "CREATE DOMAIN passing AS int; ALTER TABLE other ADD COLUMN h int;"
            "UPDATE other SET h = v::passing; DROP DOMAIN passing", "means nothing any more",
            "keep the functions"),
    refusal("refused_renamed_value_asked_for",
            "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'; UPDATE t SET w = 'x' WHERE v = 'fine'",
            "reads values of shape.mood that the file has renamed", "before the RENAME VALUE",
            schema=OF_MOOD),
    refusal("refused_renamed_value_asked_for_by_its_old_name",
            "UPDATE t SET w = 'x' WHERE v = 'ok'; ALTER TYPE mood RENAME VALUE 'ok' TO 'fine';"
            "CREATE TABLE c AS SELECT id, v::text AS v FROM t; ALTER TABLE c ADD PRIMARY KEY (id)",
            "reads values of shape.mood that the file has renamed", "before the RENAME VALUE",
            schema=OF_MOOD),
    refusal("refused_value_added_inside_of_a_composite", "ALTER TYPE mood ADD VALUE 'great'",
            "type shape.mood takes more values afterwards", "in a safe migration before",
            schema=MOOD + PAIR.format("mood")),
    refusal("refused_domain_relaxed_inside_of_a_composite",
            "ALTER DOMAIN positive DROP CONSTRAINT positive_check",
            "type shape.positive takes more values afterwards", "in a safe migration before",
            schema="CREATE DOMAIN positive AS int CHECK (VALUE > 0);" + PAIR.format("positive")),
    refusal("refused_composite_of_old_values_dropped",
            "ALTER TABLE t ALTER v TYPE text USING v::text; DROP TYPE pair",
            "is dropped or changed", "keep the type", schema=PAIR.format("int")),
    refusal("refused_rows_by_a_function_that_reads_tables",
            "CREATE TABLE c (id int PRIMARY KEY, v text); INSERT INTO c SELECT 1, reads_tables(1)",
            "may read tables", "at-cutover"),
    refusal("refused_values_by_a_function_that_reads_tables",
            "CREATE TABLE c (id int PRIMARY KEY, v text); INSERT INTO c VALUES (1, reads_tables(1))",
            "may read tables", "at-cutover"),
)  # fmt: skip
