"""Columns that a file makes of others: merged, split, read before those go."""

from __future__ import annotations

from tests.corpus.case import Case

CASES = (
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
)  # fmt: skip
