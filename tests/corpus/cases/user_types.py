"""Enums and domains: their values and constraints change, and columns become theirs."""

from __future__ import annotations

from tests.corpus.case import Case
from tests.corpus.retyped import DOWN, TO, retyped

CASES = (
    retyped(
        "enum_value_added",
        "mood",
        "ALTER TYPE mood ADD VALUE 'great'",
        ("'sad'", "'ok'"),
        (("'ok'", "'ok'"),),
        "'ok'::mood",
        before="CREATE TYPE mood AS ENUM ('sad', 'ok');",
    ),
    retyped(
        "enum_value_renamed",
        "mood",
        "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'",
        ("'sad'", "'ok'"),
        (("'fine'", "'ok'"),),
        "'ok'::mood",
        before="CREATE TYPE mood AS ENUM ('sad', 'ok');",
    ),
    retyped(
        "enum_made_anew",
        "mood",
        f"{DOWN}CASE v::text WHEN 'fine' THEN 'ok' ELSE v::text END\n"
        "ALTER TYPE mood RENAME TO mood_old; CREATE TYPE mood AS ENUM ('sad', 'fine');"
        f"{TO}mood USING (CASE v::text WHEN 'ok' THEN 'fine' ELSE v::text END)::mood;"
        "DROP TYPE mood_old",
        ("'sad'", "'ok'"),
        (("'fine'", "'ok'"), ("'sad'", "'sad'")),
        "'ok'::mood",
        before="CREATE TYPE mood AS ENUM ('sad', 'ok');",
    ),
    retyped(
        "enum_to_text",
        "mood",
        f"{TO}text USING v::text; DROP TYPE mood",
        ("'sad'", "'ok'"),
        (("'ok'", "'ok'"),),
        "'ok'::mood",
        before="CREATE TYPE mood AS ENUM ('sad', 'ok');",
    ),
    retyped(
        "text_to_enum",
        "text",
        f"{DOWN}v::text\nCREATE TYPE mood AS ENUM ('sad', 'ok'); {TO}mood USING v::mood",
        ("'sad'", "'ok'"),
        (("'ok'", "'ok'"),),
        "'ok'",
    ),
    retyped(
        "text_to_domain",
        "text",
        f"{DOWN}v\nCREATE DOMAIN short AS text CHECK (length(VALUE) < 30); {TO}short",
        ("'v@n'",),
        (("'w@n'", "'w@n'"),),
        "'v' || n",
    ),
    retyped(
        "domain_constraint_added",
        "short",
        "ALTER DOMAIN short ADD CONSTRAINT filled CHECK (VALUE <> '')",
        ("'v@n'",),
        (("'w@n'", "'w@n'"),),
        "'v' || n",
        before="CREATE DOMAIN short AS text;",
    ),
    Case(
        "enum_value_used",
        "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE t (id int PRIMARY KEY, v mood, n int);",
        "ALTER TYPE mood ADD VALUE 'great'",
        ("INSERT INTO t VALUES (@n, 'ok', 1)", "UPDATE t SET v = 'sad' WHERE id = @n % 40 + 1"),
        (
            ("INSERT INTO t VALUES (@n, 'great', 1)", "INSERT INTO t VALUES (@n, NULL, 1)"),
            ("UPDATE t SET v = 'great' WHERE id = @n % 40 + 1", "SELECT 'what it was'"),
            (
                "UPDATE t SET v = 'ok' WHERE id = @n % 40 + 1",
                "UPDATE t SET v = 'ok' WHERE id = @n % 40 + 1",
            ),
        ),
        "INSERT INTO t SELECT n, 'ok', n FROM generate_series(1, 40) n",
    ),
)
