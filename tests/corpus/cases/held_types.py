"""Values of enums and domains inside of others: in arrays, in domains, in a copy beside the table."""

from __future__ import annotations

from tests.corpus.case import Case
from tests.corpus.cases.user_types import with_unknown
from tests.corpus.retyped import TO, retyped

MOOD = "CREATE TYPE mood AS ENUM ('sad', 'ok');"
POSITIVE = "CREATE DOMAIN positive AS int CHECK (VALUE > 0);"

CASES = (
    with_unknown(
        retyped(
            "value_added_to_an_enum_in_arrays",
            "mood[]",
            "ALTER TYPE mood ADD VALUE 'great'",
            ("'{ok}'", "'{sad,NULL,ok}'"),
            (("'{ok,sad}'", "'{ok,sad}'"), ("'{}'", "'{}'")),
            "'{ok}'",
            before=MOOD,
        ),
        "'{ok,great}'",
    ),
    with_unknown(
        retyped(
            "constraint_of_a_domain_in_arrays_dropped",
            "positive[]",
            "ALTER DOMAIN positive DROP CONSTRAINT positive_check",
            ("'{1}'", "'{2,3}'"),
            (("'{4,NULL}'", "'{4,NULL}'"),),
            "'{1}'",
            before=POSITIVE,
        ),
        "'{3,-1}'",
    ),
    with_unknown(
        retyped(
            "value_added_to_an_enum_below_a_domain",
            "cheerful",
            "ALTER TYPE mood ADD VALUE 'great'",
            ("'ok'",),
            (("'ok'", "'ok'"),),
            "'ok'",
            before=f"{MOOD} CREATE DOMAIN cheerful AS mood CHECK (VALUE <> 'sad');",
        ),
        "'great'",
    ),
    with_unknown(
        retyped(
            "array_of_enums_to_text",
            "mood[]",
            f"{TO}text USING v::text; DROP TYPE mood",
            ("'{ok}'",),
            (("'{sad}'", "'{sad}'"),),
            "'{ok}'",
            before=MOOD,
        ),
        "'no array'",
    ),
    with_unknown(
        retyped(
            "composite_to_text",
            "pair",
            f"{TO}text USING v::text",
            ("'(1,a)'",),
            (("'(2,b)'", "'(2,b)'"),),
            "'(1,x)'",
            before="CREATE TYPE pair AS (a int, b text);",
        ),
        "'no pair'",
    ),
    Case(
        "split_off_an_enum_as_text",
        f"{MOOD} CREATE TABLE t (id int PRIMARY KEY, v mood, n int);",
        """-- bluegreen: down moods.v = v
        CREATE TABLE moods (t_id int PRIMARY KEY, v text);
        INSERT INTO moods SELECT id, v::text FROM t; ALTER TABLE t DROP COLUMN v""",
        ("INSERT INTO t VALUES (@n, 'ok', 1)", "UPDATE t SET v = 'sad' WHERE id = @n % 40 + 1"),
        (
            ("UPDATE moods SET v = 'ok' WHERE t_id = @n % 40 + 1",
             "UPDATE t SET v = 'ok' WHERE id = @n % 40 + 1"),
            ("UPDATE moods SET v = 'other' WHERE t_id = @n % 40 + 1", "SELECT 'what it was'"),
        ),
        "INSERT INTO t SELECT n, 'ok', n FROM generate_series(1, 40) n",
    ),
)  # fmt: skip
