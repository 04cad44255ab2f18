"""Data changes that depend on nothing but their own row."""

from __future__ import annotations

from tests.corpus.case import Case

TABLE = "CREATE TABLE t (id int PRIMARY KEY, name text, age int, price int NOT NULL DEFAULT 0);"
ROWS = "INSERT INTO t SELECT n, 'Name ' || n, n * 2, n FROM generate_series(1, 40) n"
WRITES = (
    "INSERT INTO t VALUES (@n, 'Born @n', @n % 90, @n)",
    "UPDATE t SET name = 'Renamed @n' WHERE id = @n % 40 + 1",
    "UPDATE t SET age = @n % 95, price = price + 1 WHERE id = @n % 37 + 2",
    "DELETE FROM t WHERE id = @n - 30",
)
TIER = (
    ("INSERT INTO t (id, name, age, tier) VALUES (@n, 'New @n', 5, 'chosen')",
     "INSERT INTO t (id, name, age) VALUES (@n, 'New @n', 5)"),
    ("UPDATE t SET tier = 'used @n' WHERE id = @n % 40 + 1",
     "SELECT 1"),
    ("UPDATE t SET age = 50 WHERE id = @n % 40 + 1", "UPDATE t SET age = 50 WHERE id = @n % 40 + 1"),
)  # fmt: skip

CASES = (
    Case("fill_a_new_column", TABLE,
         """ALTER TABLE t ADD COLUMN tier text;
         UPDATE t SET tier = CASE WHEN age > 60 THEN 'senior' WHEN age IS NULL THEN '?'
                                  ELSE 'regular' END;
         ALTER TABLE t ALTER tier SET NOT NULL""", WRITES, TIER, ROWS),
    Case("fill_where", TABLE,
         """ALTER TABLE t ADD COLUMN tier text DEFAULT 'none';
         UPDATE t AS x SET tier = 'senior' WHERE x.age > 60;
         UPDATE t SET tier = tier || '+' WHERE price % 2 = 0""", WRITES, TIER, ROWS),
    Case("change_an_existing_column", TABLE,
         "-- bluegreen: down t.price = price - 1000\nUPDATE t SET price = price + 1000",
         WRITES,
         (("INSERT INTO t VALUES (@n, 'New @n', 5, 1500)", "INSERT INTO t VALUES (@n, 'New @n', 5, 500)"),
          ("UPDATE t SET price = 1007 WHERE id = @n % 40 + 1",
           "UPDATE t SET price = 7 WHERE id = @n % 40 + 1")), ROWS),
    Case("change_without_a_way_back", TABLE,
         "UPDATE t SET name = lower(name)", WRITES,
         (("INSERT INTO t VALUES (@n, 'new @n', 5, 5)", "INSERT INTO t VALUES (@n, 'new @n', 5, 5)"),
          ("UPDATE t SET age = 4 WHERE id = @n % 40 + 1",
           "UPDATE t SET age = 4 WHERE id = @n % 40 + 1")), ROWS, lossy=True),
    Case("swap_values", TABLE.replace("age int", "age int NOT NULL"),
         """-- bluegreen: down t.age = price
         -- bluegreen: down t.price = age
         UPDATE t SET (age, price) = (price, age)""", WRITES,
         (("INSERT INTO t VALUES (@n, 'New @n', 5, 6)", "INSERT INTO t VALUES (@n, 'New @n', 6, 5)"),
          ("UPDATE t SET age = @n WHERE id = @n % 40 + 1",
           "UPDATE t SET price = @n WHERE id = @n % 40 + 1")), ROWS),
    Case("chain_of_updates", TABLE,
         """ALTER TABLE t ADD COLUMN a int, ADD COLUMN b int, ADD COLUMN c text;
         UPDATE t SET a = age + 1; UPDATE t SET b = a * 2 WHERE a > 20;
         UPDATE t SET c = coalesce(b::text, 'none') || name; ALTER TABLE t DROP COLUMN a""",
         WRITES,
         (("INSERT INTO t (id, name, age, b, c) VALUES (@n, 'New @n', 5, 1, 'c')",
           "INSERT INTO t (id, name, age) VALUES (@n, 'New @n', 5)"),
          ("UPDATE t SET b = 3 WHERE id = @n % 40 + 1", "SELECT 1")), ROWS),
    Case("jsonb_built_from_columns", TABLE,
         """ALTER TABLE t ADD COLUMN doc jsonb;
         UPDATE t SET doc = jsonb_build_object('name', name, 'age', age, 'tags', ARRAY[name])""",
         WRITES,
         (("INSERT INTO t (id, name, doc) VALUES (@n, 'New @n', '{}')",
           "INSERT INTO t (id, name) VALUES (@n, 'New @n')"),), ROWS),
    Case("big_documents", "CREATE TABLE t (id int PRIMARY KEY, doc text, n int);"
         "ALTER TABLE t ALTER doc SET STORAGE EXTERNAL;",
         """-- bluegreen: down t.doc = doc ->> 'text'
         ALTER TABLE t ALTER doc TYPE jsonb USING jsonb_build_object('text', doc);
         ALTER TABLE t ADD COLUMN size int; UPDATE t SET size = length(doc ->> 'text')""",
         ("INSERT INTO t VALUES (@n, repeat('sixteen kB @n ', 1300), 1)",
          "UPDATE t SET n = n + 1 WHERE id = @n % 40 + 1",
          "UPDATE t SET doc = NULL WHERE id = @n % 40 + 1",
          "UPDATE t SET doc = repeat('other @n ', 2000) WHERE id = @n % 40 + 1"),
         (("UPDATE t SET n = n + 1 WHERE id = @n % 40 + 1",
           "UPDATE t SET n = n + 1 WHERE id = @n % 40 + 1"),
          ("UPDATE t SET doc = jsonb_build_object('text', repeat('g @n ', 3000))"
           " WHERE id = @n % 40 + 1",
           "UPDATE t SET doc = repeat('g @n ', 3000) WHERE id = @n % 40 + 1"),
          ("UPDATE t SET doc = NULL WHERE id = @n % 40 + 1",
           "UPDATE t SET doc = NULL WHERE id = @n % 40 + 1")),
         "INSERT INTO t SELECT n, repeat('sixteen kB', 1600), n FROM generate_series(1, 40) n"),
    Case("time_zone_of_the_file", "CREATE TABLE t (id int PRIMARY KEY, at timestamp, n int);",
         """-- bluegreen: down t.at = at::timestamp
         SET timezone = 'America/New_York'; ALTER TABLE t ALTER at TYPE timestamptz;
         SET timezone = 'UTC'""",
         ("INSERT INTO t VALUES (@n, timestamp '2026-01-01' + @n * interval '1 min', 1)",
          "UPDATE t SET n = n + 1 WHERE id = @n % 40 + 1"),
         (("UPDATE t SET n = n + 1 WHERE id = @n % 40 + 1",
           "UPDATE t SET n = n + 1 WHERE id = @n % 40 + 1"),),
         "INSERT INTO t SELECT n, timestamp '2026-06-01' + n * interval '1 h', n"
         " FROM generate_series(1, 40) n", lossy=True),
    Case("insert_without_a_column_list", TABLE,
         """-- bluegreen: down t.price = round(price * 100)
         ALTER TABLE t ADD COLUMN before_it int DEFAULT 4;
         ALTER TABLE t ALTER price TYPE numeric(12,2) USING price / 100.0;
         ALTER TABLE t ADD COLUMN tier text, ADD COLUMN twice numeric GENERATED ALWAYS AS (price * 2) STORED;
         UPDATE t SET tier = 'tier of ' || name""", WRITES,
         (("INSERT INTO t VALUES (@n, 'New @n', 5, 1.5, 9, 'chosen')",
           "INSERT INTO t VALUES (@n, 'New @n', 5, 150)"),
          ("INSERT INTO t SELECT @n, 'New @n', 6, 2.5",
           "INSERT INTO t VALUES (@n, 'New @n', 6, 250)")), ROWS),
    Case("delete_at_the_cutover", TABLE + "CREATE TABLE old_ones (id int PRIMARY KEY, v text);",
         """ALTER TABLE t RENAME name TO title;
         -- bluegreen: at-cutover
         DELETE FROM old_ones WHERE id % 2 = 0;
         ALTER TABLE t ADD COLUMN more int""", WRITES,
         (("INSERT INTO t (id, title) VALUES (@n, 'New @n')",
           "INSERT INTO t (id, name) VALUES (@n, 'New @n'); DELETE FROM old_ones WHERE id % 2 = 0"),),
         ROWS + "; INSERT INTO old_ones SELECT n, 'v' FROM generate_series(1, 40) n"),
)  # fmt: skip
