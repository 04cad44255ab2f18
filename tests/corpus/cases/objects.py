"""Everything around the tables: indexes, views, functions, triggers, policies, rights, types."""

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
AUDIT = """
CREATE TABLE audit (of_t int, what text, at bigserial, PRIMARY KEY (at));
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO audit (of_t, what) VALUES (new.id, tg_op); RETURN new; END $$;
ALTER FUNCTION note() SET search_path = @s;
"""
CENTS = "-- bluegreen: down t.n = round(n * 100)\n"
EUROS = "ALTER TABLE t ALTER n TYPE numeric(12,2) USING n / 100.0;"
IN_EUROS = (
    ("INSERT INTO t VALUES (@n, 'new @n', 1.5)", "INSERT INTO t VALUES (@n, 'new @n', 150)"),
    ("UPDATE t SET n = 2.25 WHERE id = @n % 40 + 1", "UPDATE t SET n = 225 WHERE id = @n % 40 + 1"),
    ("UPDATE t SET name = 'x@n' WHERE id = @n % 40", "UPDATE t SET name = 'x@n' WHERE id = @n % 40"),
)  # fmt: skip


CASES = (
    Case("create_indexes", TABLE,
         """CREATE INDEX by_name ON t (name); CREATE INDEX by_lower ON t (lower(name)) WHERE n > 3;
         CREATE INDEX with_more ON t (n) INCLUDE (name)""", SAME, (), ROWS),
    Case("drop_and_rename_indexes",
         TABLE + "CREATE INDEX a ON t (name); CREATE INDEX b ON t (n);",
         "DROP INDEX a; ALTER INDEX b RENAME TO c; REINDEX TABLE t", SAME, (), ROWS),
    Case("indexes_on_a_retyped_column", TABLE + "CREATE INDEX by_n ON t (n);",
         f"{CENTS}{EUROS} CREATE INDEX more ON t ((n * 2))", SAME, IN_EUROS, ROWS),
    Case("statistics", TABLE, ["CREATE STATISTICS s ON name, n FROM t", " ANALYZE t"][0],
         SAME, (), ROWS),
    Case("comments", TABLE,
         "COMMENT ON TABLE t IS 'a table; with 100 %'; COMMENT ON COLUMN t.n IS 'it''s a number'",
         SAME, (), ROWS),
    Case("view_over_changed_columns", TABLE + "CREATE VIEW w AS SELECT id, name, n FROM t;",
         f"""{CENTS}DROP VIEW w; {EUROS} ALTER TABLE t RENAME name TO title;
         CREATE VIEW w AS SELECT id, title, n FROM t WHERE n > 1""",
         SAME, (("INSERT INTO t VALUES (@n, 'new @n', 1.5)",
                 "INSERT INTO t VALUES (@n, 'new @n', 150)"),), ROWS),
    Case("view_replaced", TABLE + "CREATE VIEW w AS SELECT id, name FROM t;",
         "CREATE OR REPLACE VIEW w AS SELECT id, name, n AS more FROM t", SAME, (), ROWS),
    Case("materialized_view", TABLE + "CREATE MATERIALIZED VIEW m AS SELECT id, n FROM t;",
         f"""{CENTS}DROP MATERIALIZED VIEW m; {EUROS} CREATE TABLE unrelated (id int)""",
         SAME, IN_EUROS, ROWS),
    Case("functions", TABLE + """
         CREATE FUNCTION f(x int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT x + 1';""",
         """CREATE OR REPLACE FUNCTION f(x int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT x + 2';
         CREATE FUNCTION g(x text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN x; END $$;
         CREATE INDEX by_f ON t (f(n))""", SAME, (), ROWS),
    Case("users_function_in_an_update", TABLE + """
         CREATE FUNCTION f(x int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT x * 2';""",
         "ALTER TABLE t ADD COLUMN m int; UPDATE t SET m = f(n)", SAME,
         (("INSERT INTO t VALUES (@n, 'new @n', 1, 2)", "INSERT INTO t VALUES (@n, 'new @n', 1)"),),
         ROWS),
    Case("trigger_added", TABLE + AUDIT,
         """CREATE TRIGGER noted AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note()""",
         SAME, (("INSERT INTO t VALUES (@n, 'new @n', 1)",
                 "INSERT INTO t VALUES (@n, 'new @n', 1); INSERT INTO audit VALUES (@n, 'INSERT')"),
                ),
         ROWS, ignored=("at",)),
    Case("trigger_dropped", TABLE + AUDIT + """
         CREATE TRIGGER noted AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note();""",
         "DROP TRIGGER noted ON t; ALTER TABLE t RENAME name TO title",
         SAME, (("INSERT INTO t VALUES (@n, 'new @n', 1)",

                 "ALTER TABLE t DISABLE TRIGGER noted; INSERT INTO t VALUES (@n, 'new @n', 1);"
                 "ALTER TABLE t ENABLE TRIGGER noted"),), ROWS, ignored=("at",)),
    Case("trigger_that_audits_stays", TABLE + AUDIT + """
         CREATE TRIGGER noted AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note();""",
         f"{CENTS}{EUROS} UPDATE t SET name = name || ''",
         SAME, IN_EUROS, ROWS, ignored=("at",),
         before_file="ALTER TABLE t DISABLE TRIGGER USER",
         after_file="ALTER TABLE t ENABLE TRIGGER USER"),
    Case("trigger_that_stamps_stays", TABLE + """
         CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN new.name := new.name || '!'; RETURN new; END $$;
         CREATE TRIGGER stamped BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION stamp();
         """, f"{CENTS}{EUROS}", SAME,
         (("INSERT INTO t VALUES (@n, 'new @n', 1.5)", "INSERT INTO t VALUES (@n, 'new @n', 150)"),
          ("UPDATE t SET n = 3 WHERE id = @n % 40 + 1",
           "UPDATE t SET n = 300 WHERE id = @n % 40 + 1")),
         ROWS),
    Case("row_security", TABLE,
         """ALTER TABLE t ENABLE ROW LEVEL SECURITY;
         CREATE POLICY everyone ON t USING (true) WITH CHECK (n IS NOT NULL)""", SAME, (), ROWS),
    Case("row_security_stays", TABLE + """ALTER TABLE t ENABLE ROW LEVEL SECURITY;
         CREATE POLICY small ON t USING (n > -1);""",
         f"{CENTS}DROP POLICY small ON t; {EUROS} CREATE POLICY small ON t USING (n > -2)",
         SAME, IN_EUROS, ROWS),
    Case("row_security_forced", TABLE + """ALTER TABLE t ENABLE ROW LEVEL SECURITY;
         ALTER TABLE t FORCE ROW LEVEL SECURITY; CREATE POLICY numbered ON t USING (n > -1);""",
         """ALTER TABLE t NO FORCE ROW LEVEL SECURITY; ALTER TABLE t ADD COLUMN loud text;
         UPDATE t SET loud = upper(name); ALTER TABLE t FORCE ROW LEVEL SECURITY""",
         SAME, (), ROWS, until=15),
    Case("rights", TABLE,
         """GRANT SELECT, INSERT ON t TO PUBLIC; GRANT UPDATE (name) ON t TO PUBLIC;
         REVOKE INSERT ON t FROM PUBLIC; ALTER DEFAULT PRIVILEGES IN SCHEMA @s
         GRANT SELECT ON TABLES TO PUBLIC""", SAME, (), ROWS),
    Case("types_and_domains", TABLE,
         """CREATE TYPE pair AS (a int, b text); CREATE DOMAIN positive AS int CHECK (VALUE > 0);
         CREATE TYPE colour AS ENUM ('red'); ALTER TABLE t ADD COLUMN c colour;
         ALTER TABLE t ADD COLUMN p positive DEFAULT 4, ADD COLUMN q pair""", SAME[1:], (), ROWS),
    Case("sequences", TABLE + "CREATE SEQUENCE s1; CREATE SEQUENCE s2;",
         """ALTER SEQUENCE s1 RENAME TO s3; DROP SEQUENCE s2; CREATE SEQUENCE s4 START 50;
         ALTER TABLE t ALTER n SET DEFAULT nextval('s4')""", SAME, (), ROWS),
    Case("schema_moved_in", TABLE,
         """CREATE SCHEMA @s_side; ALTER TABLE t SET SCHEMA @s_side;
         ALTER TABLE @s_side.t SET SCHEMA @s; DROP SCHEMA @s_side""".replace("@s_side", "side_room"),
         SAME, (), ROWS),
    Case("rule_and_cast_free", TABLE,
         "CREATE VIEW w AS SELECT id, n FROM t; CREATE RULE quiet AS ON INSERT TO w DO INSTEAD NOTHING",
         SAME, (), ROWS),
    Case("two_using_that_read_each_other",
         "CREATE TABLE t (id int PRIMARY KEY, a int, b int);",
         """-- bluegreen: down t.a = a - b
         -- bluegreen: down t.b = b
         ALTER TABLE t ALTER a TYPE bigint USING a + b, ALTER b TYPE bigint USING b""",
         ("INSERT INTO t VALUES (@n, @n, 1)", "UPDATE t SET a = a + 1 WHERE id = @n % 40 + 1",
          "UPDATE t SET b = b + 1 WHERE id = @n % 40 + 1"),
         (("INSERT INTO t VALUES (@n, 9, 2)", "INSERT INTO t VALUES (@n, 7, 2)"),
          ("UPDATE t SET a = 20, b = 5 WHERE id = @n % 40 + 1",
           "UPDATE t SET a = 15, b = 5 WHERE id = @n % 40 + 1")),
         "INSERT INTO t SELECT n, n, 2 FROM generate_series(1, 40) n"),
    Case("indexes_concurrently", TABLE + "CREATE INDEX gone ON t (name);",
         f"""CREATE INDEX CONCURRENTLY by_name ON t (name, n); DROP INDEX CONCURRENTLY gone;
         {CENTS}{EUROS} CREATE UNIQUE INDEX CONCURRENTLY by_id ON t (id, n);
         ALTER TABLE t ADD COLUMN more int DEFAULT 4; REINDEX INDEX CONCURRENTLY by_name""",
         SAME, IN_EUROS, ROWS, apart=True),
    Case("its_own_transactions", TABLE,
         f"""BEGIN;
         {CENTS}{EUROS} COMMIT; BEGIN; ALTER TABLE t ADD COLUMN more int; COMMIT""",
         SAME, IN_EUROS, ROWS, apart=True),
    Case("enum_value_added_and_used",
         "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE t (id int PRIMARY KEY, v mood, n int);",
         """-- bluegreen: no-transaction
         ALTER TYPE mood ADD VALUE 'great'; ALTER TABLE t ALTER v SET DEFAULT 'great';
         ALTER TABLE t RENAME n TO number""",
         ("INSERT INTO t VALUES (@n, 'ok', 1)", "UPDATE t SET v = 'sad' WHERE id = @n % 40 + 1"),
         (("INSERT INTO t (id, number) VALUES (@n, 1)", "INSERT INTO t VALUES (@n, NULL, 1)"),
          ("UPDATE t SET v = 'ok' WHERE id = @n % 40 + 1",
           "UPDATE t SET v = 'ok' WHERE id = @n % 40 + 1")),
         "INSERT INTO t SELECT n, 'ok', n FROM generate_series(1, 40) n", apart=True),
)  # fmt: skip
