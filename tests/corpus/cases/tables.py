"""Whole tables: renamed, moved, made, dropped; partitioned, inherited, oddly named."""

from __future__ import annotations

from tests.corpus.case import Case

TABLE = "CREATE TABLE t (id int PRIMARY KEY, name text, n int);"
ROWS = "INSERT INTO t SELECT n, 'name ' || n, n FROM generate_series(1, 40) n"
SAME = (
    "INSERT INTO t VALUES (@n, 'born @n', @n)",
    "UPDATE t SET name = 'renamed @n' WHERE id = @n % 40 + 1",
    "UPDATE t SET n = n + 1 WHERE id = @n % 40 + 1",
    "DELETE FROM t WHERE id = @n - 25",
)


def on(table: str, *writes: str) -> tuple[tuple[str, str], ...]:
    """The same writes, on a table of that name in the new shape."""
    return tuple(
        (write.replace(" t ", f" {table} ", 1), write) for write in (writes or SAME)
    )  # fmt: skip


DAYS = """
CREATE TABLE t (id int, day date, cents int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE t_early PARTITION OF t FOR VALUES FROM (MINVALUE) TO ('2026-02-01');
CREATE TABLE t_late PARTITION OF t FOR VALUES FROM ('2026-02-01') TO (MAXVALUE);
"""
DAY_ROWS = "INSERT INTO t SELECT n, date '2026-01-12' + n, n FROM generate_series(1, 40) n"
DAY_WRITES = (
    "INSERT INTO t VALUES (@n, '2026-03-03', @n)",
    "UPDATE t SET cents = cents + 1 WHERE id = @n % 40 + 1",
    "UPDATE t SET day = '2026-01-01' WHERE id = @n - 20",
    "DELETE FROM t WHERE id = @n - 40",
)
NESTED = """
CREATE TABLE t (id int, region text, cents int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE t_north PARTITION OF t FOR VALUES IN ('north') PARTITION BY RANGE (id);
CREATE TABLE t_north_few PARTITION OF t_north FOR VALUES FROM (MINVALUE) TO (1020);
CREATE TABLE t_north_more PARTITION OF t_north FOR VALUES FROM (1020) TO (MAXVALUE);
CREATE TABLE t_rest PARTITION OF t DEFAULT;
"""
FAMILY = """
CREATE TABLE t (id int PRIMARY KEY, name text, n int);
CREATE TABLE child (extra text, PRIMARY KEY (id)) INHERITS (t);
CREATE TABLE apart (id int PRIMARY KEY, v text);
"""

CASES = (
    Case("rename_table", TABLE, "ALTER TABLE t RENAME TO renamed", SAME, on("renamed"), ROWS),
    Case("rename_table_and_columns", TABLE,
         "ALTER TABLE t RENAME TO renamed; ALTER TABLE renamed RENAME name TO title", SAME,
         (("INSERT INTO renamed (id, title) VALUES (@n, 'new @n')",
           "INSERT INTO t (id, name) VALUES (@n, 'new @n')"),), ROWS),
    Case("swap_tables", TABLE + "CREATE TABLE u (id int PRIMARY KEY, v text);",
         "ALTER TABLE t RENAME TO spare; ALTER TABLE u RENAME TO t; ALTER TABLE spare RENAME TO u",
         (*SAME, "INSERT INTO u VALUES (@n, 'in u')"),
         (*on("u"), ("INSERT INTO t VALUES (@n, 'was u')", "INSERT INTO u VALUES (@n, 'was u')")),
         ROWS),
    Case("old_name_as_a_view", TABLE,
         """ALTER TABLE t RENAME TO renamed;
         CREATE VIEW t AS SELECT id, name, n FROM renamed""", SAME, (), ROWS),
    Case("drop_table", TABLE + "CREATE TABLE gone (id int PRIMARY KEY, v text);",
         "DROP TABLE gone", (*SAME, "INSERT INTO gone VALUES (@n, 'v')"),
         tuple((write, write) for write in SAME), ROWS),
    Case("create_table", TABLE, """
         CREATE TABLE fresh (id int PRIMARY KEY, of_t int REFERENCES t (id) ON DELETE CASCADE);
         INSERT INTO fresh VALUES (1, 3), (2, 4)""", SAME,
         (*tuple((write, write) for write in SAME),
          ("INSERT INTO fresh VALUES (@n, 5)", "SELECT 1")), ROWS),
    Case("create_partition", DAYS.replace("(MAXVALUE)", "('2027-01-01')"),
         "CREATE TABLE t_next PARTITION OF t FOR VALUES FROM ('2027-01-01') TO (MAXVALUE)",
         DAY_WRITES, (), DAY_ROWS),
    Case("retype_in_partitions", DAYS,
         """-- bluegreen: down t.cents = round(cents * 100)
         ALTER TABLE t ALTER cents TYPE numeric(12,2) USING cents / 100.0""", DAY_WRITES,
         (("INSERT INTO t VALUES (@n, '2026-01-05', 1.25)",
           "INSERT INTO t VALUES (@n, '2026-01-05', 125)"),
          ("UPDATE t SET day = '2026-04-04', cents = 7 WHERE id = @n - 3",
           "UPDATE t SET day = '2026-04-04', cents = 700 WHERE id = @n - 3")), DAY_ROWS),
    Case("round_rows_that_move", DAYS.replace("cents int", "cents numeric(10,3)"),
         "ALTER TABLE t ALTER cents TYPE int USING round(cents)", DAY_WRITES,
         (("UPDATE t SET day = '2026-01-02' WHERE id = @n % 40 + 1",) * 2,
          ("UPDATE t SET day = '2026-05-05' WHERE id = (@n + 7) % 40 + 1",) * 2,
          ("UPDATE t SET day = '2026-05-06', cents = 7000 WHERE id = (@n + 20) % 40 + 1",) * 2,
          ("INSERT INTO t VALUES (@n, '2026-01-05', 12)",) * 2),
         DAY_ROWS.replace("n FROM", "n + 0.375 FROM"), lossy=True),
    Case("retype_in_partitions_of_partitions", NESTED,
         """-- bluegreen: down t.cents = round(cents * 100)
         ALTER TABLE t ALTER cents TYPE numeric(12,2) USING cents / 100.0;
         ALTER TABLE t ADD COLUMN note text; UPDATE t SET note = 'of ' || region;
         ALTER TABLE t ALTER note SET NOT NULL""",
         ("INSERT INTO t VALUES (@n, 'north', @n)",
          "UPDATE t SET cents = cents + 1 WHERE id = @n % 40 + 1",
          "UPDATE t SET region = 'south' WHERE id = @n - 20",
          "DELETE FROM t WHERE id = @n - 40"),
         (("INSERT INTO t VALUES (@n, 'north', 1.25, 'x')",
           "INSERT INTO t VALUES (@n, 'north', 125)"),
          ("UPDATE t SET region = 'south', cents = 7 WHERE id = @n - 3",
           "UPDATE t SET region = 'south', cents = 700 WHERE id = @n - 3")),
         "INSERT INTO t SELECT n, CASE n % 2 WHEN 0 THEN 'north' ELSE 'east' END, n"
         " FROM generate_series(1, 40) n"),
    Case("drop_columns_in_partitions", DAYS
         + "ALTER TABLE t ADD COLUMN note text, ADD COLUMN kind text NOT NULL DEFAULT 'usual';",
         "ALTER TABLE t DROP COLUMN note, DROP COLUMN kind; ALTER TABLE t ADD COLUMN w int",
         ("INSERT INTO t VALUES (@n, '2026-03-03', @n, 'note @n', 'k')",
          "UPDATE t SET note = 'n@n', kind = 'k@n' WHERE id = @n % 40 + 1",
          "UPDATE t SET day = '2026-01-01' WHERE id = @n - 20",
          "DELETE FROM t WHERE id = @n - 40"),
         (("UPDATE t SET day = '2026-04-04' WHERE id = @n % 20 + 1",
           "UPDATE t SET day = '2026-04-04' WHERE id = @n % 20 + 1"),
          ("INSERT INTO t (id, day, cents) VALUES (@n, '2026-01-05', 1)",
           "INSERT INTO t (id, day, cents) VALUES (@n, '2026-01-05', 1)"),
          ("UPDATE t SET day = '2026-01-04' WHERE id = @n % 40 + 1",
           "UPDATE t SET day = '2026-01-04' WHERE id = @n % 40 + 1")),
         "INSERT INTO t SELECT n, date '2026-01-12' + n, n, 'note ' || n, 'k' || n"
         " FROM generate_series(1, 40) n"),
    Case("rename_in_partitions", DAYS,
         """ALTER TABLE t RENAME cents TO amount; ALTER TABLE t ADD COLUMN note text;
         ALTER TABLE t_late RENAME TO t_rest""", DAY_WRITES,
         (("INSERT INTO t (id, day, amount) VALUES (@n, '2026-01-05', 1)",
           "INSERT INTO t VALUES (@n, '2026-01-05', 1)"),
          ("UPDATE t SET amount = @n WHERE id = @n % 40 + 1",
           "UPDATE t SET cents = @n WHERE id = @n % 40 + 1")), DAY_ROWS),
    Case("rename_partitioned_table", DAYS, "ALTER TABLE t RENAME TO by_day", DAY_WRITES,
         on("by_day", *DAY_WRITES), DAY_ROWS),
    Case("beside_inherited_tables", FAMILY, "ALTER TABLE apart ADD COLUMN w int",
         (*SAME, "INSERT INTO child VALUES (@n + 500000, 'c', 1, 'x')",
          "UPDATE child SET extra = 'y@n' WHERE id = 500000 + @n - 8"),
         (), ROWS),
    Case("keys_of_uuid", "CREATE TABLE t (id uuid PRIMARY KEY, name text);",
         """ALTER TABLE t ALTER name TYPE varchar(200); ALTER TABLE t ADD COLUMN at date""",
         ("INSERT INTO t (id, name) VALUES (md5('@n')::uuid, 'n')",
          "UPDATE t SET name = 'u@n' WHERE id = md5((@n - 9)::text)::uuid",
          "DELETE FROM t WHERE id = md5((@n - 50)::text)::uuid"), (),
         "INSERT INTO t SELECT md5(n::text)::uuid, 'n' FROM generate_series(1, 40) n"),
    Case("keys_of_four_columns",
         """CREATE TABLE t (a int, b text, c date, d timestamptz, v int,
         PRIMARY KEY (d, a, c, b));""",
         "-- bluegreen: down t.v = v::int\nALTER TABLE t ALTER v TYPE text USING v::text",
         ("INSERT INTO t VALUES (@n, 'b''\"@n', '2026-01-01', '2026-01-01 10:00+02', @n)",
          "UPDATE t SET v = v + 1 WHERE a = @n - 11", "UPDATE t SET b = 'moved' WHERE a = @n - 12"),
         (("INSERT INTO t VALUES (@n, 'new', '2026-01-01', '2026-01-01', '@n')",
           "INSERT INTO t VALUES (@n, 'new', '2026-01-01', '2026-01-01', @n)"),
          ("UPDATE t SET v = '77' WHERE a = @n - 3", "UPDATE t SET v = 77 WHERE a = @n - 3")), ""),
    Case("keys_that_change", TABLE,
         "-- bluegreen: down t.n = n::int\nALTER TABLE t ALTER n TYPE text USING n::text",
         ("INSERT INTO t VALUES (@n, 'born @n', @n)", "UPDATE t SET id = -id WHERE id = @n - 7",
          "UPDATE t SET id = id + 700000, n = 4 WHERE id = @n - 9"),
         (("INSERT INTO t VALUES (@n, 'new @n', '@n')", "INSERT INTO t VALUES (@n, 'new @n', @n)"),
          ("UPDATE t SET id = -id, n = '9' WHERE id = @n - 5",
           "UPDATE t SET id = -id, n = 9 WHERE id = @n - 5")), ROWS),
    Case("odd_names",
         """CREATE TABLE "Odd 'Names'" ("the key" text PRIMARY KEY, "100 %" int, "select" text,
         "ü.ö" int);""",
         """-- bluegreen: down Odd_Names.v = v
         ALTER TABLE "Odd 'Names'" RENAME "select" TO "from %s";
         ALTER TABLE "Odd 'Names'" ALTER "100 %" TYPE bigint;
         ALTER TABLE "Odd 'Names'" RENAME "ü.ö" TO "ä";
         ALTER TABLE "Odd 'Names'" RENAME TO "Odder Names" """.replace(
             "-- bluegreen: down Odd_Names.v = v\n", ""),
         ("""INSERT INTO "Odd 'Names'" VALUES ('k @n', @n, 's', 1)""",
          """UPDATE "Odd 'Names'" SET "select" = 'x@n' WHERE "the key" = 'k ' || (@n - 9)"""),
         (("""INSERT INTO "Odder Names" VALUES ('k @n', @n, 's', 1)""",
           """INSERT INTO "Odd 'Names'" VALUES ('k @n', @n, 's', 1)"""),
          ("""UPDATE "Odder Names" SET "from %s" = 'y', "ä" = 2 WHERE "the key" = 'k @n'""",
           """UPDATE "Odd 'Names'" SET "select" = 'y', "ü.ö" = 2 WHERE "the key" = 'k @n'""")),
         ""),
    Case("names_of_63_bytes",
         f"CREATE TABLE t (id int PRIMARY KEY, {'n' * 63} int, {'m' * 63} text);",
         f"""-- bluegreen: down t.{'n' * 63} = {'n' * 63} / 2
         ALTER TABLE t ALTER {'n' * 63} TYPE bigint USING {'n' * 63} * 2;
         ALTER TABLE t RENAME {'m' * 63} TO {'k' * 63}""",
         ("INSERT INTO t VALUES (@n, @n, 'm')",),
         (("INSERT INTO t VALUES (@n, 8, 'k')", "INSERT INTO t VALUES (@n, 4, 'k')"),), ""),
    Case("storage_options", TABLE,
         """ALTER TABLE t SET (fillfactor = 70, autovacuum_enabled = false);
         ALTER TABLE t ALTER name SET STORAGE EXTERNAL, ALTER name SET STATISTICS 500;
         ALTER TABLE t CLUSTER ON t_pkey""", SAME, (), ROWS),
    Case("set_logged_again", TABLE, "ALTER TABLE t SET LOGGED", SAME, (), ROWS),
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
)  # fmt: skip
