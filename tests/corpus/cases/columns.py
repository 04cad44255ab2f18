"""Columns that come, go and change their names."""

from __future__ import annotations

from tests.corpus.case import Case

TABLE = """
CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, age int, note text);
"""
ROWS = "INSERT INTO t SELECT n, 'name ' || n, n % 90, 'note ' || n FROM generate_series(1, 40) n"
WRITES = (
    "INSERT INTO t VALUES (@n, 'born @n', @n % 80, NULL)",
    "UPDATE t SET name = 'renamed @n' WHERE id = @n % 40 + 1",
    "UPDATE t SET age = @n % 95, note = 'older' WHERE id = @n % 37 + 2",
    "DELETE FROM t WHERE id = @n - 30",
)
COMMON = (
    "INSERT INTO t (id, name, age) VALUES (@n, 'born @n', @n % 80)",
    "UPDATE t SET name = 'renamed @n' WHERE id = @n % 40 + 1",
    "UPDATE t SET age = @n % 95 WHERE id = @n % 37 + 2",
    "DELETE FROM t WHERE id = @n - 30",
)
"""What fits whether or not there is a note."""
REQUIRED = "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, {});"
NAMES = "INSERT INTO t SELECT n, 'name ' || n, {} FROM generate_series(1, 40) n"

CASES = (
    Case(
        "add_column", TABLE, "ALTER TABLE t ADD COLUMN email text",
        WRITES,
        (
            ("INSERT INTO t VALUES (@n, 'new @n', 7, 'x', 'mail@n')",
             "INSERT INTO t VALUES (@n, 'new @n', 7, 'x')"),
            ("UPDATE t SET email = 'mail@n', age = 9 WHERE id = @n % 40 + 1",
             "UPDATE t SET age = 9 WHERE id = @n % 40 + 1"),
        ),
        ROWS,
    ),
    Case("add_column_with_default", TABLE,
         "ALTER TABLE t ADD COLUMN score int NOT NULL DEFAULT 7", COMMON, (), ROWS),
    Case(
        "add_column_required_at_last", TABLE,
        """ALTER TABLE t ADD COLUMN score int NOT NULL DEFAULT 7;
        ALTER TABLE t ALTER COLUMN score DROP DEFAULT""",
        WRITES,
        (
            ("INSERT INTO t VALUES (@n, 'new @n', 7, 'x', @n)",
             "INSERT INTO t VALUES (@n, 'new @n', 7, 'x')"),
            ("UPDATE t SET score = score + 1, age = 3 WHERE id = @n % 40 + 1",
             "UPDATE t SET age = 3 WHERE id = @n % 40 + 1"),
        ),
        ROWS,
    ),
    Case("add_column_with_changed_default", TABLE,
         """ALTER TABLE t ADD COLUMN state text NOT NULL DEFAULT 'before';
         ALTER TABLE t ALTER COLUMN state SET DEFAULT 'from now on'""",
         ("UPDATE t SET age = @n % 95 WHERE id = @n % 37 + 2",
          "DELETE FROM t WHERE id = @n % 200 + 100",
          "INSERT INTO t (id, name) VALUES (@n, 'n')"),
         (("INSERT INTO t (id, name, state) VALUES (@n, 'n', 'chosen')",
           "INSERT INTO t (id, name) VALUES (@n, 'n')"),
          ("INSERT INTO t (id, name) VALUES (@n, 'by default')",
           "INSERT INTO t (id, name) VALUES (@n, 'by default')")), ROWS),
    Case("add_column_of_random_values", TABLE,
         "ALTER TABLE t ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid()",
         COMMON, (), ROWS, ignored=("token",)),
    Case("add_column_of_numbers", TABLE,
         "ALTER TABLE t ADD COLUMN place bigserial", COMMON, (), ROWS, ignored=("place",)),
    Case(
        "drop_column", TABLE, "ALTER TABLE t DROP COLUMN note",
        WRITES,
        (
            ("INSERT INTO t VALUES (@n, 'new @n', 7)",
             "INSERT INTO t VALUES (@n, 'new @n', 7, NULL)"),
            ("UPDATE t SET name = 'used @n' WHERE id = @n % 40 + 1",
             "UPDATE t SET name = 'used @n' WHERE id = @n % 40 + 1"),
        ),
        ROWS,
    ),
    Case(
        "drop_required_column", REQUIRED.format("code text NOT NULL"),
        "ALTER TABLE t DROP COLUMN code",
        ("INSERT INTO t VALUES (@n, 'born @n', 'c@n')",
         "UPDATE t SET code = 'c@n' WHERE id = @n % 40 + 1"),
        (("INSERT INTO t VALUES (@n, 'new @n')", "INSERT INTO t VALUES (@n, 'new @n', '')"),
         ("UPDATE t SET name = 'used @n' WHERE id = @n % 40 + 1",
          "UPDATE t SET name = 'used @n' WHERE id = @n % 40 + 1")),
        NAMES.format("'code ' || n"),
    ),
    Case(
        "drop_column_with_default", REQUIRED.format("kind text NOT NULL DEFAULT 'usual'"),
        "ALTER TABLE t DROP COLUMN kind",
        ("INSERT INTO t VALUES (@n, 'born @n', 'special')",
         "UPDATE t SET kind = 'k@n' WHERE id = @n % 40 + 1"),
        (("INSERT INTO t VALUES (@n, 'new @n')",
          "INSERT INTO t VALUES (@n, 'new @n')"),),
        NAMES.format("'kind ' || n"),
    ),
    Case(
        "drop_column_with_check",
        REQUIRED.format("kind text NOT NULL CONSTRAINT known CHECK (kind IN ('a', 'b'))"),
        "ALTER TABLE t DROP COLUMN kind",
        ("INSERT INTO t VALUES (@n, 'born @n', 'a')",
         "UPDATE t SET kind = 'b' WHERE id = @n % 40 + 1"),
        (("UPDATE t SET name = 'used @n' WHERE id = @n % 40 + 1",
          "UPDATE t SET name = 'used @n' WHERE id = @n % 40 + 1"),
         ("DELETE FROM t WHERE id = @n - 7", "DELETE FROM t WHERE id = @n - 7")),
        NAMES.format("'a'"),
    ),
    Case(
        "drop_and_add_under_one_name", REQUIRED.format("state text"),
        "ALTER TABLE t DROP COLUMN state; ALTER TABLE t ADD COLUMN state int DEFAULT 3",
        ("INSERT INTO t VALUES (@n, 'born @n', 's@n')",
         "UPDATE t SET state = 's@n' WHERE id = @n % 40 + 1"),
        (("INSERT INTO t VALUES (@n, 'new @n', 5)",
          "INSERT INTO t VALUES (@n, 'new @n', NULL)"),
         ("UPDATE t SET state = @n, name = 'u' WHERE id = @n % 40 + 1",
          "UPDATE t SET name = 'u' WHERE id = @n % 40 + 1")),
        NAMES.format("'s'"),
    ),
    Case(
        "rename_column", TABLE, "ALTER TABLE t RENAME COLUMN name TO title",
        WRITES,
        (
            ("INSERT INTO t (id, title) VALUES (@n, 'new @n')",
             "INSERT INTO t (id, name) VALUES (@n, 'new @n')"),
            ("UPDATE t SET title = 'used @n' WHERE id = @n % 40 + 1",
             "UPDATE t SET name = 'used @n' WHERE id = @n % 40 + 1"),
            ("DELETE FROM t WHERE id = @n - 5", "DELETE FROM t WHERE id = @n - 5"),
        ),
        ROWS,
    ),
    Case(
        "rename_key", TABLE, "ALTER TABLE t RENAME COLUMN id TO number",
        WRITES,
        (
            ("INSERT INTO t (number, name) VALUES (@n, 'new @n')",
             "INSERT INTO t (id, name) VALUES (@n, 'new @n')"),
            ("UPDATE t SET name = 'used @n' WHERE number = @n % 40 + 1",
             "UPDATE t SET name = 'used @n' WHERE id = @n % 40 + 1"),
            ("DELETE FROM t WHERE number = @n - 5", "DELETE FROM t WHERE id = @n - 5"),
        ),
        ROWS,
    ),
    Case(
        "swap_names", TABLE,
        """ALTER TABLE t RENAME COLUMN name TO spare; ALTER TABLE t RENAME COLUMN note TO name;
        ALTER TABLE t RENAME COLUMN spare TO note""",
        WRITES,
        (
            ("INSERT INTO t VALUES (@n, 'in note @n', 7, 'in name')",
             "INSERT INTO t VALUES (@n, 'in note @n', 7, 'in name')"),
            ("UPDATE t SET note = 'was name @n' WHERE id = @n % 40 + 1",
             "UPDATE t SET name = 'was name @n' WHERE id = @n % 40 + 1"),
        ),
        ROWS,
    ),
    Case(
        "rename_then_take_the_name", TABLE,
        """-- bluegreen: down t.note = substr(note, 4)
        ALTER TABLE t RENAME COLUMN note TO old_note;
        ALTER TABLE t ADD COLUMN note text; UPDATE t SET note = 'on ' || old_note;
        ALTER TABLE t DROP COLUMN old_note""",
        WRITES,
        (
            ("INSERT INTO t (id, name, note) VALUES (@n, 'new @n', 'on noted')",
             "INSERT INTO t (id, name, note) VALUES (@n, 'new @n', 'noted')"),
            ("UPDATE t SET name = 'used @n' WHERE id = @n % 40 + 1",
             "UPDATE t SET name = 'used @n' WHERE id = @n % 40 + 1"),
        ),
        ROWS,
    ),
    Case("add_and_drop_what_is_never_read", TABLE,
         """ALTER TABLE t ADD COLUMN passing int; UPDATE t SET passing = age;
         ALTER TABLE t DROP COLUMN passing""", WRITES, (), ROWS),
    Case("many_columns_at_once", TABLE,
         """ALTER TABLE t ADD COLUMN a int DEFAULT 1, DROP COLUMN note, ADD COLUMN b text,
         ALTER COLUMN age SET DEFAULT 18, ADD COLUMN IF NOT EXISTS age int""",
         ("INSERT INTO t (id, name, age) VALUES (@n, 'b', 3)",
          "UPDATE t SET age = @n WHERE id = @n % 40 + 1"), (), ROWS),
)  # fmt: skip
