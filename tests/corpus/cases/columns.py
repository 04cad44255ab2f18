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
    Case(
        "merge_columns",
        "CREATE TABLE t (id int PRIMARY KEY, first text, last text NOT NULL, n int);",
        """-- bluegreen: down t.first = split_part(whole, ' ', 1)
        -- bluegreen: down t.last = split_part(whole, ' ', 2)
        ALTER TABLE t ADD COLUMN whole text; UPDATE t SET whole = first || ' ' || last;
        ALTER TABLE t DROP COLUMN first, DROP COLUMN last""",
        ("INSERT INTO t VALUES (@n, 'A@n', 'B@n', 1)",
         "UPDATE t SET last = 'L@n' WHERE id = @n % 40 + 1", "UPDATE t SET n = n + 1 WHERE id = 3"),
        (("INSERT INTO t (id, whole) VALUES (@n, 'Nora N@n')",
          "INSERT INTO t VALUES (@n, 'Nora', 'N@n')"),
         ("UPDATE t SET whole = 'Otto O@n' WHERE id = @n % 40 + 1",
          "UPDATE t SET first = 'Otto', last = 'O@n' WHERE id = @n % 40 + 1")),
        "INSERT INTO t SELECT n, 'F' || n, 'L' || n, n FROM generate_series(1, 40) n",
    ),
    Case(
        "split_column", "CREATE TABLE t (id int PRIMARY KEY, whole text NOT NULL, n int);",
        """-- bluegreen: down t.whole = first || ' ' || last
        ALTER TABLE t ADD COLUMN first text, ADD COLUMN last text;
        UPDATE t SET (first, last) = (split_part(whole, ' ', 1), split_part(whole, ' ', 2));
        ALTER TABLE t ALTER first SET NOT NULL, ALTER last SET NOT NULL, DROP COLUMN whole""",
        ("INSERT INTO t VALUES (@n, 'Nora N@n', 1)",
         "UPDATE t SET whole = 'Otto O@n' WHERE id = @n % 40 + 1",
         "UPDATE t SET n = n + 1 WHERE id = @n % 9"),
        (("INSERT INTO t (id, first, last) VALUES (@n, 'A', 'B@n')",
          "INSERT INTO t VALUES (@n, 'A B@n')"),
         ("UPDATE t SET last = 'C@n' WHERE id = @n % 40 + 1",
          "UPDATE t SET whole = split_part(whole, ' ', 1) || ' C@n' WHERE id = @n % 40 + 1")),
        "INSERT INTO t SELECT n, 'F' || n || ' L' || n, n FROM generate_series(1, 40) n",
    ),
    Case("columns_called_as_the_triggers_variables",
         'CREATE TABLE t (id int PRIMARY KEY, "new" int, s0_0 int, "old" int, found text);',
         """-- bluegreen: down t.new = "new" / 2
         -- bluegreen: down t.s0_0 = rtrim(s0_0, '!')::int
         ALTER TABLE t ALTER "new" TYPE bigint USING "new" * 2::bigint;
         ALTER TABLE t ALTER s0_0 TYPE text USING t.s0_0 || '!';
         ALTER TABLE t ADD COLUMN tg_op text;
         UPDATE t SET tg_op = t.found || "old" WHERE found <> ''""",
         ("INSERT INTO t VALUES (@n, 1, 2, 3, 'f')",
          "UPDATE t SET \"new\" = @n, s0_0 = @n WHERE id = @n % 40 + 1",
          "UPDATE t SET \"old\" = @n, found = 'g' WHERE id = @n % 40 + 1"),
         (("UPDATE t SET \"new\" = @n * 2, s0_0 = '7!' WHERE id = @n % 40 + 1",
           "UPDATE t SET \"new\" = @n, s0_0 = 7 WHERE id = @n % 40 + 1"),),
         "INSERT INTO t SELECT n, n, n, n, 'f' FROM generate_series(1, 40) n"),
    Case("drop_not_null_after_it_was_read",
         "CREATE TABLE t (id int PRIMARY KEY, gone text NOT NULL);",
         """ALTER TABLE t ADD COLUMN kind text;
         UPDATE t SET kind = upper(gone);
         ALTER TABLE t DROP COLUMN gone""",
         ("INSERT INTO t VALUES (@n, 'v @n')",
          "UPDATE t SET gone = 'w @n' WHERE id = @n % 40 + 1",
          "DELETE FROM t WHERE id = @n - 25"),
         (("INSERT INTO t (id, kind) VALUES (@n, 'own')", "INSERT INTO t VALUES (@n, '')"),
          ("UPDATE t SET kind = 'changed' WHERE id = @n % 40 + 1", "SELECT 1")),
         "INSERT INTO t SELECT n, 'v ' || n FROM generate_series(1, 40) n"),
    Case("drop_columns_and_the_triggers_that_keep_them",
         """CREATE TABLE t (id int PRIMARY KEY, name text, slug text, words tsvector);
         CREATE FUNCTION slug() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN new.slug := lower(new.name); RETURN new; END $$;
         CREATE TRIGGER slugged BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION slug();
         CREATE TRIGGER worded BEFORE INSERT OR UPDATE ON t FOR EACH ROW
         EXECUTE FUNCTION tsvector_update_trigger('words', 'pg_catalog.english', 'name');""",
         """-- bluegreen: down t.slug = lower(name)
         -- bluegreen: down t.words = to_tsvector('pg_catalog.english', coalesce(name, ''))
         DROP TRIGGER slugged ON t; DROP TRIGGER worded ON t; DROP FUNCTION slug();
         ALTER TABLE t DROP COLUMN slug, DROP COLUMN words""",
         ("INSERT INTO t VALUES (@n, 'Born @n')",
          "UPDATE t SET name = 'Other @n' WHERE id = @n % 40 + 1",
          "DELETE FROM t WHERE id = @n - 25"),
         (), "INSERT INTO t SELECT n, 'Name ' || n FROM generate_series(1, 40) n"),
    Case("full_identity_without_a_key",
         "CREATE TABLE t (v text, n int); ALTER TABLE t REPLICA IDENTITY FULL;",
         "ALTER TABLE t RENAME v TO title; ALTER TABLE t ADD CHECK (n >= 0); CREATE INDEX ON t (n)",
         ("INSERT INTO t VALUES ('born @n', @n)",
          "UPDATE t SET v = 'w @n' WHERE n = @n % 40 + 1",
          "DELETE FROM t WHERE n = @n - 25"),
         (("INSERT INTO t (title, n) VALUES ('new', @n)", "INSERT INTO t VALUES ('new', @n)"),
          ("UPDATE t SET title = 'x @n' WHERE n = @n % 40 + 1",
           "UPDATE t SET v = 'x @n' WHERE n = @n % 40 + 1"),
          ("DELETE FROM t WHERE n = @n - 25", "DELETE FROM t WHERE n = @n - 25")),
         "INSERT INTO t SELECT 'name ' || n % 5, n % 20 FROM generate_series(1, 40) n"),
    Case("full_identity_with_a_key",
         """CREATE TABLE t (id int PRIMARY KEY, name text, cents int NOT NULL, gone text NOT NULL);
         ALTER TABLE t REPLICA IDENTITY FULL;""",
         """-- bluegreen: down t.cents = round(cents * 100)
         ALTER TABLE t ALTER cents TYPE numeric(12,2) USING cents / 100.0;
         ALTER TABLE t DROP COLUMN gone;
         ALTER TABLE t ADD COLUMN kind text;
         UPDATE t SET kind = upper(name);
         ALTER TABLE t RENAME name TO title""",
         ("INSERT INTO t VALUES (@n, 'born @n', @n, 'v')",
          "UPDATE t SET cents = cents + 1 WHERE id = @n % 40 + 1",
          "UPDATE t SET gone = 'w', name = 'x @n' WHERE id = @n % 40 + 1",
          "DELETE FROM t WHERE id = @n - 25"),
         (("INSERT INTO t (id, title, cents, kind) VALUES (@n, 'n', 1.25, 'own')",
           "INSERT INTO t VALUES (@n, 'n', 125, '')"),
          ("UPDATE t SET title = 't @n', cents = cents + 1 WHERE id = @n % 40 + 1",
           "UPDATE t SET name = 't @n', cents = cents + 100 WHERE id = @n % 40 + 1"),
          ("DELETE FROM t WHERE id = @n - 25", "DELETE FROM t WHERE id = @n - 25")),
         "INSERT INTO t SELECT n, 'name ' || n, n, 'v' FROM generate_series(1, 40) n"),
    Case("add_and_drop_what_is_never_read", TABLE,
         """ALTER TABLE t ADD COLUMN passing int; UPDATE t SET passing = age;
         ALTER TABLE t DROP COLUMN passing""", WRITES, (), ROWS),
    Case("many_columns_at_once", TABLE,
         """ALTER TABLE t ADD COLUMN a int DEFAULT 1, DROP COLUMN note, ADD COLUMN b text,
         ALTER COLUMN age SET DEFAULT 18, ADD COLUMN IF NOT EXISTS age int""",
         ("INSERT INTO t (id, name, age) VALUES (@n, 'b', 3)",
          "UPDATE t SET age = @n WHERE id = @n % 40 + 1"), (), ROWS),
)  # fmt: skip
