"""Tables that the file makes of others: split in two, or made anew with partitions."""

from __future__ import annotations

from tests.corpus.case import Case

TABLE = "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, bio text, n int);"
ROWS = """INSERT INTO t SELECT n, 'name ' || n, CASE WHEN n % 3 > 0 THEN 'bio ' || n END, n
FROM generate_series(1, 40) n"""
WRITES = (
    "INSERT INTO t VALUES (@n, 'born @n', 'bio @n', 1)",
    "INSERT INTO t VALUES (@n, 'born @n', NULL, 1)",
    "UPDATE t SET bio = 'told @n' WHERE id = @n % 40 + 1",
    "UPDATE t SET bio = NULL WHERE id = @n % 40 + 1",
    "UPDATE t SET n = n + 1, name = 'x@n' WHERE id = @n % 40 + 1",
    "UPDATE t SET id = -id WHERE id = @n - 13",
    "DELETE FROM t WHERE id = @n - 25",
)
SPLIT = (
    ("INSERT INTO t VALUES (@n, 'new @n', 2); INSERT INTO bios VALUES (@n, 'new bio @n')",
     "INSERT INTO t VALUES (@n, 'new @n', 'new bio @n', 2)"),
    ("INSERT INTO t VALUES (@n, 'without', 2)", "INSERT INTO t VALUES (@n, 'without', NULL, 2)"),
    ("INSERT INTO bios VALUES (@n, 'bio first'); INSERT INTO t VALUES (@n, 'then', 3)",
     "INSERT INTO t VALUES (@n, 'then', 'bio first', 3)"),
    ("UPDATE bios SET bio = 'used @n' WHERE t_id = @n % 40 + 1",
     "UPDATE t SET bio = 'used @n' WHERE id = @n % 40 + 1 AND @always"),
    ("DELETE FROM bios WHERE t_id = @n - 3", "UPDATE t SET bio = NULL WHERE id = @n - 3"),
    ("UPDATE t SET n = 7 WHERE id = @n % 40 + 1", "UPDATE t SET n = 7 WHERE id = @n % 40 + 1"),
    ("DELETE FROM bios WHERE t_id = @n - 4; DELETE FROM t WHERE id = @n - 4",
     "DELETE FROM t WHERE id = @n - 4"),
)  # fmt: skip


def split(condition: str) -> tuple[tuple[str, str], ...]:
    """`condition`: on the old table's row, whether it has a row of its own in `bios`."""
    return tuple((new, old.replace("@always", condition)) for new, old in SPLIT)


DAYS = "CREATE TABLE t (id int, day date NOT NULL, v text, n int, PRIMARY KEY (id, day));"
DAY_ROWS = "INSERT INTO t SELECT n, date '2026-01-12' + n, 'v', n FROM generate_series(1, 40) n"
DAY_WRITES = (
    "INSERT INTO t VALUES (@n, '2026-03-03', 'v@n', @n)",
    "UPDATE t SET n = n + 1 WHERE id = @n % 40 + 1",
    "UPDATE t SET day = '2026-01-01' WHERE id = @n - 20",
    "DELETE FROM t WHERE id = @n - 40",
)
PARTITIONS = """
CREATE TABLE t_early PARTITION OF t_parts FOR VALUES FROM (MINVALUE) TO ('2026-02-01');
CREATE TABLE t_late PARTITION OF t_parts FOR VALUES FROM ('2026-02-01') TO (MAXVALUE);
"""

CASES = (
    Case("split_table", TABLE,
         """CREATE TABLE bios (t_id int PRIMARY KEY, bio text);
         INSERT INTO bios SELECT id, bio FROM t; ALTER TABLE t DROP COLUMN bio""",
         WRITES, split("true"), ROWS),
    Case("split_table_that_is_emptied", TABLE,
         """CREATE TABLE bios (t_id int PRIMARY KEY, bio text);
         INSERT INTO bios SELECT id, bio FROM t; ALTER TABLE t DROP COLUMN bio""",
         ("INSERT INTO t VALUES (@n, 'born', 'bio @n', 1)", "TRUNCATE t",
          "INSERT INTO t VALUES (@n, 'born', 'bio @n', 2)"),
         (("INSERT INTO t VALUES (@n, 'n', 2); INSERT INTO bios VALUES (@n, 'new')",
           "INSERT INTO t VALUES (@n, 'n', 'new', 2)"),
          ("TRUNCATE bios", "UPDATE t SET bio = NULL"),
          ("INSERT INTO t VALUES (@n, 'n', 3); INSERT INTO bios VALUES (@n, 'newer')",
           "INSERT INTO t VALUES (@n, 'n', 'newer', 3)")), ROWS),
    Case("split_table_with_condition", TABLE,
         """CREATE TABLE bios (t_id int PRIMARY KEY, bio text);
         INSERT INTO bios (t_id, bio) SELECT x.id, x.bio FROM t AS x WHERE x.bio IS NOT NULL;
         ALTER TABLE t DROP COLUMN bio""",
         WRITES, split("bio IS NOT NULL"), ROWS),
    Case("split_table_by_query", TABLE,
         """CREATE TABLE bios AS SELECT id AS t_id, bio FROM t;
         ALTER TABLE bios ADD PRIMARY KEY (t_id); ALTER TABLE t DROP COLUMN bio;
         ALTER TABLE bios ADD COLUMN seen int NOT NULL DEFAULT 0""",
         WRITES, split("true"), ROWS),
    Case("split_table_and_compute", TABLE,
         """-- bluegreen: down bios.bio = substr(bio, 6)
         CREATE TABLE bios (t_id int PRIMARY KEY, bio text, size int);
         INSERT INTO bios SELECT id, 'bio: ' || bio, length(bio) FROM t;
         ALTER TABLE t DROP COLUMN bio""",
         WRITES,
         (("INSERT INTO t VALUES (@n, 'new @n', 2); INSERT INTO bios VALUES (@n, 'bio: new @n', 1)",
           "INSERT INTO t VALUES (@n, 'new @n', 'new @n', 2)"),
          ("UPDATE bios SET bio = 'bio: used @n' WHERE t_id = @n % 40 + 1",
           "UPDATE t SET bio = 'used @n' WHERE id = @n % 40 + 1"),
          ("DELETE FROM bios WHERE t_id = @n - 3", "UPDATE t SET bio = NULL WHERE id = @n - 3")),
         ROWS),
    Case("split_table_after_a_retype", TABLE,
         """-- bluegreen: down t.n = round(n * 100)
         ALTER TABLE t ALTER n TYPE numeric(9,2) USING n / 100.0;
         CREATE TABLE prices (t_id int PRIMARY KEY REFERENCES t (id) ON DELETE CASCADE, euros numeric);
         INSERT INTO prices SELECT id, n FROM t""",
         WRITES,
         (("INSERT INTO t VALUES (@n, 'new', 'bio', 2.5); INSERT INTO prices VALUES (@n, 2.5)",
           "INSERT INTO t VALUES (@n, 'new', 'bio', 250)"),
          ("UPDATE t SET n = 1.25 WHERE id = @n % 40 + 1",
           "UPDATE t SET n = 125 WHERE id = @n % 40 + 1"),
          ("UPDATE prices SET euros = 3 WHERE t_id = @n % 40 + 1", "SELECT 1")), ROWS),
    Case("copy_beside", TABLE,
         """CREATE TABLE names (id int PRIMARY KEY, name text);
         INSERT INTO names SELECT id, upper(name) FROM t WHERE n > 0""",
         WRITES,
         (("INSERT INTO t VALUES (@n, 'new @n', 'b', 2)",
           "INSERT INTO t VALUES (@n, 'new @n', 'b', 2)"),
          ("UPDATE names SET name = 'used' WHERE id = @n % 40 + 1", "SELECT 1")), ROWS),
    Case("made_anew_with_partitions", DAYS,
         f"""CREATE TABLE t_parts (id int, day date NOT NULL, v text, n int, PRIMARY KEY (id, day))
         PARTITION BY RANGE (day); {PARTITIONS}
         INSERT INTO t_parts SELECT * FROM t; DROP TABLE t; ALTER TABLE t_parts RENAME TO t""",
         DAY_WRITES, (), DAY_ROWS),
    Case("made_anew_and_the_old_one_renamed", DAYS,
         """ALTER TABLE t RENAME TO t_old;
         CREATE TABLE t (id bigint, more int DEFAULT 5, day date NOT NULL, v text, PRIMARY KEY (id, day));
         INSERT INTO t (id, day, v) SELECT id, day, v FROM t_old; DROP TABLE t_old""",
         ("INSERT INTO t (id, day, v) VALUES (@n, '2026-03-03', 'v@n')",
          "UPDATE t SET v = 'x@n' WHERE id = @n % 40 + 1",
          "UPDATE t SET day = '2026-01-01' WHERE id = @n - 20",
          "DELETE FROM t WHERE id = @n - 40"), (), DAY_ROWS),
    Case("made_anew_under_another_name", TABLE,
         """CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL, bio text);
         INSERT INTO people SELECT id, name, bio FROM t; DROP TABLE t""",
         WRITES,
         (("INSERT INTO people VALUES (@n, 'new @n', 'b')", "INSERT INTO t VALUES (@n, 'new @n', 'b')"),
          ("UPDATE people SET bio = 'used' WHERE id = @n % 40 + 1",
           "UPDATE t SET bio = 'used' WHERE id = @n % 40 + 1")), ROWS),
    Case("materialized_view_created", TABLE,
         "CREATE MATERIALIZED VIEW m AS SELECT id, n FROM t WHERE n > 2", WRITES, (), ROWS),
)  # fmt: skip
