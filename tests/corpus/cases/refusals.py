"""What no mapping can carry, with what the author is told to do instead."""

from __future__ import annotations

from tests.corpus.case import Refusal

TABLES = """
CREATE TABLE t (id int PRIMARY KEY, name text, n int, at timestamptz);
CREATE TABLE other (id int PRIMARY KEY, t_id int, v text);
CREATE VIEW w AS SELECT id, name FROM t;
CREATE FUNCTION reads_tables(int) RETURNS text STABLE LANGUAGE sql
    AS 'SELECT v FROM shape.other WHERE id = $1';
"""
DAYS = """
CREATE TABLE t (id int, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE t_all PARTITION OF t FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
"""
FORCED = """
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
ALTER TABLE t FORCE ROW LEVEL SECURITY;
CREATE POLICY large ON t USING (n > 3);
"""
SIDE = """
DROP SCHEMA IF EXISTS side, other_side CASCADE;
CREATE SCHEMA side;
CREATE TABLE side.u (id int PRIMARY KEY);
"""
HOLDS = """
CREATE TYPE addr AS (street text, zip int);
CREATE DOMAIN addresses AS addr[];
CREATE TABLE kept (id int PRIMARY KEY);
CREATE TABLE t (id int PRIMARY KEY, at addresses, was kept);
"""
ROW = "compute from the row's own columns"
MAINTENANCE = "--type maintenance"


def refusal(
    name: str,
    file: str,
    says: str,
    remedy: str = MAINTENANCE,
    schema: str = TABLES,
    since: int = 15,
) -> Refusal:
    return Refusal(name, schema, file, says, remedy, since)


REFUSALS = (
    refusal("refused_update_from",
            "UPDATE t SET name = o.v FROM other o WHERE o.t_id = t.id", "UPDATE with FROM", ROW),
    refusal("refused_update_with_a_subselect",
            "UPDATE t SET name = 'x' WHERE id IN (SELECT t_id FROM other)", "a sub-select", ROW),
    refusal("refused_update_to_now", "UPDATE t SET at = now()", "the function now", ROW),
    refusal("refused_update_to_random", "UPDATE t SET n = random() * 10",
            "the volatile function random", ROW),
    refusal("refused_update_of_the_whole_row", "UPDATE t SET name = to_jsonb(t)::text",
            "the row as a whole", ROW),
    refusal("refused_update_that_reads_tables", "UPDATE t SET name = reads_tables(n)",
            "which may read tables", ROW),
    refusal("refused_update_of_a_key", "UPDATE t SET id = id + 1", "a column of the key"),
    refusal("refused_retype_of_a_key", "ALTER TABLE other ALTER id TYPE text",
            "a column of the key"),
    refusal("refused_drop_of_a_key", "DROP VIEW w; ALTER TABLE t DROP COLUMN id",
            "changes the key", "keep the columns of the old key"),
    refusal("refused_set_default", "UPDATE t SET n = DEFAULT", "SET column = DEFAULT",
            "write the value itself"),
    refusal("refused_delete", "DELETE FROM other", "cannot be kept in sync",
            "delete in a safe migration before"),
    refusal("refused_truncate", "TRUNCATE other", "cannot be kept in sync",
            "truncate in a migration of its own"),
    refusal("refused_do", "DO $$ BEGIN UPDATE t SET n = 1; END $$", "cannot be kept in sync",
            "write the statements themselves"),
    refusal("refused_select", "SELECT setval('s', 5)", "cannot be kept in sync", "leave it out",
            TABLES + "CREATE SEQUENCE s;"),
    refusal("refused_insert", "INSERT INTO other VALUES (1, 2, 'x')",
            "would be on one side only", "safe migration before or after"),
    refusal("refused_copy_of_a_join",
            "CREATE TABLE c AS SELECT t.id, o.v FROM t JOIN other o ON o.t_id = t.id",
            "more than one table", "copy one row"),
    refusal("refused_copy_by_group",
            "CREATE TABLE c AS SELECT n, count(*) FROM t GROUP BY n", "GROUP", "at-cutover"),
    refusal("refused_copy_without_the_key",
            "CREATE TABLE c (name text); INSERT INTO c SELECT name FROM t",
            "no unique copy of the key", "copy the key of"),
    refusal("refused_copy_changed_later",
            "CREATE TABLE c AS SELECT id, name FROM t; ALTER TABLE c ADD PRIMARY KEY (id);"
            "UPDATE c SET name = upper(name)", "changed after it was filled",
            "in the statement that fills it"),
    refusal("refused_made_anew_and_computed",
            "DROP VIEW w; CREATE TABLE u (id int PRIMARY KEY, name text);"
            "INSERT INTO u SELECT id, upper(name) FROM t; DROP TABLE t; ALTER TABLE u RENAME TO t",
            "a column of the new table is computed", "ALTER TABLE in a migration before"),
    refusal("refused_made_anew_in_part",
            "DROP VIEW w; CREATE TABLE u (id int PRIMARY KEY, name text);"
            "INSERT INTO u SELECT id, name FROM t WHERE n > 0; DROP TABLE t;"
            "ALTER TABLE u RENAME TO t", "only some rows", "delete the others"),
    refusal("refused_made_anew_empty",
            "DROP TABLE other; CREATE TABLE other (id int PRIMARY KEY)",
            "dropped and made again under the same name", "ALTER TABLE, or make the new one"),
    refusal("refused_table_without_a_key", "ALTER TABLE t ADD COLUMN x int",
            "has no key by which replication could find its rows", "REPLICA IDENTITY FULL",
            TABLES + "CREATE TABLE keyless (n int);"),
    refusal("refused_columns_of_a_full_identity", "ALTER TABLE full_row ADD COLUMN x int",
            "REPLICA IDENTITY is FULL", "give the table a primary key",
            TABLES + "CREATE TABLE full_row (n int); ALTER TABLE full_row REPLICA IDENTITY FULL;"),
    refusal("refused_unlogged", "ALTER TABLE other SET UNLOGGED", "an unlogged table"),
    refusal("refused_detach", "ALTER TABLE t DETACH PARTITION t_all", "on one side only",
            schema=DAYS),
    refusal("refused_update_of_a_partition", "UPDATE t_all SET v = 'x'", "t_all is a partition",
            "through its root", DAYS),
    refusal("refused_update_of_a_view", "UPDATE w SET name = 'x'", "w is a view",
            "change the table itself"),
    refusal("refused_replica_identity", "ALTER TABLE t REPLICA IDENTITY FULL",
            "replication finds rows by it"),
    refusal("refused_trigger_that_replays",
            "ALTER TABLE t ENABLE ALWAYS TRIGGER x", "fire for replicated rows"),
    refusal("refused_star_over_a_landing_column",
            "ALTER TABLE other ALTER v TYPE varchar(9); CREATE VIEW s AS SELECT * FROM other",
            "cannot be kept in sync", "name the columns"),
    refusal("refused_like_over_a_landing_column",
            "ALTER TABLE other ALTER v TYPE varchar(9); CREATE TABLE l (LIKE other)",
            "the schema would not end as the file makes it", "name the columns"),
    refusal("refused_statement_that_fails", "ALTER TABLE other ADD COLUMN v text",
            "fails on an empty copy of the schema", "mend the statement"),
    refusal("refused_part_taken_back_to_a_savepoint",
            "BEGIN; SAVEPOINT s; UPDATE t SET n = n + 1; ROLLBACK TO s; COMMIT",
            "takes a part of itself back", "leave that part out"),
    refusal("refused_down_of_nothing", "-- bluegreen: down shape.t.name = name\nDROP TABLE other",
            "names no column that the file computes", "name the new table and the new column"),
    refusal("refused_down_that_fails",
            "-- bluegreen: down shape.other.v = nothing\nALTER TABLE other ALTER v TYPE varchar(9)",
            'column "nothing" does not exist', "mend the statement"),
    refusal("refused_schema_change_in_the_pause",
            "-- bluegreen: at-cutover\nALTER TABLE t ADD COLUMN x int",
            "only INSERT, UPDATE, DELETE and MERGE", "take `at-cutover` away"),
    refusal("refused_trigger_of_the_file_before_its_update",
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';"
            "CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();"
            "UPDATE t SET n = 1", "a trigger that the file itself makes",
            "create the trigger after the UPDATE"),
    refusal("refused_two_time_zones",
            "SET timezone = 'Asia/Tokyo'; ALTER TABLE t ALTER at TYPE timestamp;"
            "SET timezone = 'UTC'; ALTER TABLE t ALTER n TYPE text USING n::text",
            "compute under different settings", "set search_path and time zone once"),
    refusal("refused_attribute_added_to_a_held_type",
            "ALTER TYPE addr ADD ATTRIBUTE city text", "type shape.addr gets other attributes",
            "a new column of it", schema=HOLDS),
    refusal("refused_column_added_to_a_held_row_type",
            "ALTER TABLE kept ADD COLUMN more int", "type shape.kept gets other attributes",
            "a new column of it", schema=HOLDS),
    refusal("refused_domain_that_takes_null_again",
            "ALTER DOMAIN filled DROP NOT NULL", "domain shape.filled takes NULL afterwards",
            "in a safe migration before",
            schema="CREATE DOMAIN filled AS int NOT NULL;"
            "CREATE TABLE t (id int PRIMARY KEY, v filled);"),
    refusal("refused_enum_of_renamed_and_of_new_values",
            "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'; ALTER TYPE mood ADD VALUE 'great'",
            "v is computed or gets other values, and shape.mood has renamed ones",
            "in a migration of its own",
            schema="CREATE TYPE mood AS ENUM ('sad', 'ok');"
            "CREATE TABLE t (id int PRIMARY KEY, v mood);"),
    refusal("refused_inherited_table_made", "CREATE TABLE child (PRIMARY KEY (id)) INHERITS (other)",
            "other gets an inherited table", "in a safe migration before or after"),
    refusal("refused_inherited_column_renamed", "ALTER TABLE t RENAME v TO w",
            "t has or is an inherited table, and v gets another name", MAINTENANCE,
            schema="CREATE TABLE t (id int PRIMARY KEY, v text);"
            "CREATE TABLE child (PRIMARY KEY (id)) INHERITS (t);"),
    refusal("refused_domain_that_takes_no_null",
            "CREATE DOMAIN filled AS int NOT NULL;"
            "ALTER TABLE t ALTER n TYPE filled USING coalesce(n, 0)",
            "of a domain that takes no NULL", "put NOT NULL on the column"),
    refusal("refused_schema_renamed", "ALTER SCHEMA side RENAME TO other_side",
            'schema "side" does not exist', "ALTER TABLE .. SET SCHEMA", schema=SIDE),
    refusal("refused_schema_dropped_behind_its_tables",
            "ALTER TABLE side.u SET SCHEMA shape; DROP SCHEMA side",
            'schema "side" does not exist', "ALTER TABLE .. SET SCHEMA", schema=SIDE),
    refusal("refused_forced_row_security_from_16_on", "ALTER TABLE other ADD COLUMN more int",
            "t forces row security on its owner", "in a migration before this one",
            schema=TABLES + FORCED, since=16),
    refusal("refused_row_security_that_the_file_forces", FORCED,
            "t forces row security on its owner", "in a migration before this one", since=16),
    refusal("refused_update_under_forced_row_security", "UPDATE t SET name = upper(name)",
            "t forces row security on its owner", "NO FORCE ROW LEVEL SECURITY",
            schema=TABLES + FORCED),
    refusal("refused_copy_under_forced_row_security",
            "CREATE TABLE c AS SELECT id, name FROM t; ALTER TABLE c ADD PRIMARY KEY (id)",
            "t forces row security on its owner", "NO FORCE ROW LEVEL SECURITY",
            schema=TABLES + FORCED),
    refusal("refused_attach_of_a_table_in_use",
            "ALTER TABLE t ATTACH PARTITION early FOR VALUES FROM (MINVALUE) TO ('2026-01-01')",
            "early becomes a partition", "attach it in a safe migration",
            schema=DAYS.replace("(MINVALUE)", "('2026-01-01')")
            + "CREATE TABLE early (id int, day date, v text, PRIMARY KEY (id, day));"),
    refusal("refused_set_logged", "ALTER TABLE passing SET LOGGED",
            "passing is unlogged until the file has run", "before this one",
            schema=TABLES + "CREATE UNLOGGED TABLE passing (id int PRIMARY KEY);"),
    refusal("refused_deferrable_key", "ALTER TABLE t ADD COLUMN x int",
            "late has no key by which replication could find its rows", "REPLICA IDENTITY FULL",
            TABLES + "CREATE TABLE late (id int PRIMARY KEY DEFERRABLE);"),
    refusal("refused_identity_of_nothing", "ALTER TABLE t ADD COLUMN x int",
            "has no key by which replication could find its rows", "REPLICA IDENTITY FULL",
            TABLES + "ALTER TABLE other REPLICA IDENTITY NOTHING;"),
    refusal("refused_full_identity_of_what_is_not_compared", "ALTER TABLE t ADD COLUMN x int",
            "doc is of type json, whose values no server compares", "add a primary key",
            TABLES + "CREATE TABLE log (doc json); ALTER TABLE log REPLICA IDENTITY FULL;"),
    refusal("refused_trigger_that_fires_last",
            "ALTER TABLE other ALTER v TYPE varchar(9)", "fires last, behind ours",
            "rename it in a safe migration",
            TABLES + "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';"
            'CREATE TRIGGER "ärger" BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION f();'),
    refusal("refused_trigger_that_takes_every_column",
            "ALTER TABLE other ALTER v TYPE varchar(9)", "takes all columns of the row",
            "name the columns in its function",
            TABLES + "CREATE TABLE was (id int PRIMARY KEY, t_id int, v text);"
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN INSERT INTO shape.was SELECT OLD.*; RETURN old; END';"
            "CREATE TRIGGER x BEFORE DELETE ON other FOR EACH ROW EXECUTE FUNCTION f();"),
    refusal("refused_down_of_a_copy",
            "-- bluegreen: down shape.c.nothing = name\nCREATE TABLE c AS SELECT id, name FROM t;"
            "ALTER TABLE c ADD PRIMARY KEY (id)", "names no column that shape.t loses",
            "name the column that the old table loses"),
)  # fmt: skip
