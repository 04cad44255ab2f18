"""Enums and domains: their values and constraints change, and columns become theirs."""

from __future__ import annotations

from dataclasses import replace

from tests.corpus.case import Case
from tests.corpus.retyped import DOWN, TO, retyped

FLOORS = (
    "CREATE DOMAIN positive AS int CHECK (VALUE > 0);"
    "CREATE DOMAIN few AS positive CHECK (VALUE < 90000);"
)


def unknown(value: str) -> tuple[tuple[str, str], ...]:
    """Written in the new shape, a value that the old type does not know: a rollback loses it."""
    return (
        (f"INSERT INTO t (id, v) VALUES (@n, {value})", "INSERT INTO t (id, v) VALUES (@n, NULL)"),
        (f"UPDATE t SET v = {value} WHERE id = @n % 40 + 1", "SELECT 'what it was'"),
    )


def with_unknown(case: Case, value: str) -> Case:
    return replace(case, used=(*case.used, *unknown(value)))


CASES = (
    with_unknown(
        retyped(
            "enum_to_text_of_other_values",
            "mood",
            f"{TO}text USING v::text; DROP TYPE mood",
            ("'sad'", "'ok'"),
            (("'ok'", "'ok'"),),
            "'ok'::mood",
            before="CREATE TYPE mood AS ENUM ('sad', 'ok');",
        ),
        "'other'",
    ),
    with_unknown(
        retyped(
            "domain_to_integer",
            "few",
            f"{TO}int USING v::int; DROP DOMAIN few",
            ("1", "2"),
            (("3", "3"),),
            "n",
            before=FLOORS,
        ),
        "-3",
    ),
    with_unknown(
        retyped(
            "domain_constraint_dropped",
            "few",
            "ALTER DOMAIN positive DROP CONSTRAINT positive_check",
            ("1", "2"),
            (("3", "3"),),
            "n",
            before=FLOORS,
        ),
        "-3",
    ),
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
