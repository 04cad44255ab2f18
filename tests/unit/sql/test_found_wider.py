"""What was wrong in files of the eighth unseen set, and in the statements next to them: each
measured on real servers (tests/data/unseen)."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.validate import validate
from tests.support.said_locks import said_locks

SCHEMA = """
CREATE ROLE app;
CREATE SCHEMA old;
CREATE TYPE spot AS (x real, y real);
CREATE TYPE mood AS ENUM ('good');
CREATE TABLE sites OF spot;
CREATE FUNCTION key() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT md5(random()::text) $$;
CREATE FUNCTION low(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower($1) $$;
CREATE TABLE post (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tags text[], mood mood,
  word text COLLATE "C", title text NOT NULL, mail text, n int GENERATED ALWAYS AS (1) STORED,
  UNIQUE (title) DEFERRABLE);
CREATE INDEX post_tags ON post USING gin (tags);
CREATE INDEX post_word ON post (word);
CREATE UNIQUE INDEX post_mail ON post (mail);
CREATE UNIQUE INDEX post_lower ON post (lower(title));
CREATE TABLE note (id bigserial, post_id int);
CREATE INDEX note_post ON note (post_id);
ALTER TABLE note ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON note USING (post_id > 0);
CREATE TABLE hit (at date NOT NULL, path text, page text) PARTITION BY RANGE (at);
CREATE TABLE hit_2025 PARTITION OF hit FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
  PARTITION BY HASH (at);
CREATE TABLE hit_2025_0 PARTITION OF hit_2025 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE more (LIKE hit);
CREATE INDEX hit_path ON hit (path);
CREATE TABLE day (at date, n int, PRIMARY KEY (at, n)) PARTITION BY RANGE (at);
CREATE TABLE day_2025 PARTITION OF day FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE party (id int NOT NULL, since date);
CREATE TABLE firm (no text) INHERITS (party);
CREATE VIEW posts AS SELECT id, title FROM post;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER each_statement AFTER INSERT ON hit FOR EACH STATEMENT EXECUTE FUNCTION f();
"""
HITS = {"hit", "hit_2025", "hit_2025_0"}


def report(sql, version=18):
    catalog, unread = build(SCHEMA, version=version)
    assert not unread
    return validate(sql, file="m.sql", server_version=version, catalog=catalog)


def locks(sql, version=18):
    return said_locks(report(sql, version))


@pytest.mark.parametrize(
    ("sql", "waits"),
    [
        ("ALTER TABLE post ALTER tags TYPE text[]", {"post"}),
        ("ALTER TABLE hit ALTER path TYPE varchar", HITS),
        ("ALTER TABLE hit ALTER page TYPE varchar", set()),
        ("ALTER TABLE post ALTER word TYPE text", {"post"}),
        ('ALTER TABLE post ALTER word TYPE text COLLATE "C"', set()),
        ('ALTER TABLE post ALTER mail TYPE text COLLATE "default"', set()),
        ("ALTER TABLE firm ADD COLUMN a int GENERATED ALWAYS AS IDENTITY", {"firm", "party"}),
    ],
)
def test_indexes_that_are_built_again_and_who_waits(sql, waits):
    found = report(sql)
    assert not found.errors
    assert set(found.blocks_reads_of) == set(found.blocks_writes_of) == waits


@pytest.mark.parametrize(
    ("sql", "taken"),
    [
        (
            "ALTER POLICY mine ON note USING (post_id IN (SELECT id FROM post))",
            {"note": "AccessExclusive", "post": "AccessShare"},
        ),
        ("COMMENT ON TRIGGER each_statement ON hit IS 'x'", {"hit": "AccessShare"}),
        ("COMMENT ON COLUMN spot.x IS 'x'", {}),
        (
            "CREATE TRIGGER t AFTER UPDATE ON hit FOR EACH STATEMENT EXECUTE FUNCTION f()",
            {"hit": "ShareRowExclusive"},
        ),
        (
            "CREATE TRIGGER t AFTER UPDATE ON hit FOR EACH ROW EXECUTE FUNCTION f()",
            dict.fromkeys(HITS, "ShareRowExclusive"),
        ),
        ("DROP TRIGGER each_statement ON hit", {"hit": "AccessExclusive"}),
        (
            "CREATE CONSTRAINT TRIGGER t AFTER UPDATE ON note FROM post FOR EACH ROW "
            "EXECUTE FUNCTION f()",
            {"note": "ShareRowExclusive", "post": "AccessShare"},
        ),
        ("BEGIN; LOCK posts IN SHARE MODE; COMMIT", {"posts": "Share", "post": "Share"}),
        ("BEGIN; LOCK ONLY party; COMMIT", {"party": "AccessExclusive"}),
        ("BEGIN; DECLARE c CURSOR FOR SELECT 1 FROM post; COMMIT", {"post": "AccessShare"}),
        (
            "ALTER TABLE ONLY party DROP COLUMN since",
            {"party": "AccessExclusive", "firm": "AccessExclusive"},
        ),
        ("VACUUM ONLY party", {"party": "ShareUpdateExclusive"}),
        (
            "CREATE RULE r AS ON INSERT TO note DO ALSO INSERT INTO party VALUES (NEW.id)",
            {"note": "AccessExclusive", "party": "RowExclusive"},
        ),
        (
            "ALTER TRIGGER each_statement ON hit RENAME TO again",
            dict.fromkeys(HITS, "AccessExclusive"),
        ),
        ("REINDEX INDEX hit_path", {"hit": "Share", "hit_2025_0": "Share"}),
        ("REINDEX INDEX day_2025_pkey", {"day_2025": "Share"}),
    ],
)
def test_what_is_held(sql, taken):
    assert locks(sql) == taken


def test_a_check_of_one_table_is_looked_at_there_alone():
    sql = "ALTER TABLE party ADD CHECK (id > 0) NO INHERIT"
    assert set(locks(sql, 15)) == {"party"}
    assert set(locks(sql, 18)) == {"party", "firm"}


def test_a_type_takes_the_tables_made_of_it_along():
    found = report("DROP TYPE spot CASCADE")
    assert found.destructive
    assert found.locks == {"sites": "AccessExclusiveLock"}


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DROP TYPE spot", "is made of it"),
        ("ALTER TABLE sites ADD COLUMN z int", "typed table sites"),
        ("ALTER TABLE sites RENAME x TO z", "typed table sites"),
        ("ALTER TABLE note OF spot", "its columns are others"),
        ("DROP INDEX CONCURRENTLY hit_path", "partitioned index"),
        ("DROP INDEX day_2025_pkey", "requires it"),
        ("ALTER TABLE post REPLICA IDENTITY USING INDEX post_title_key", "deferrable"),
        ("ALTER TABLE post REPLICA IDENTITY USING INDEX post_lower", "expression"),
        ("ALTER TABLE post REPLICA IDENTITY USING INDEX post_mail", "mail can be NULL"),
        ("ALTER TABLE post REPLICA IDENTITY USING INDEX post_word", "not unique"),
        ("ALTER TABLE post REPLICA IDENTITY USING INDEX none", "does not exist"),
        ("ALTER TABLE post ALTER CONSTRAINT post_title_key NOT DEFERRABLE", "not a foreign key"),
        ("ALTER TABLE firm ALTER id DROP NOT NULL", "is NOT NULL because it is in party"),
        (
            "ALTER TABLE hit_2025 ATTACH PARTITION more FOR VALUES WITH (MODULUS 4, REMAINDER 2)",
            "would overlap",
        ),
        ("INSERT INTO post (id, title) VALUES (DEFAULT, 'a'), (4, 'b')", "id of post"),
        ("INSERT INTO post (title, n) VALUES ('a', 4)", "n of post"),
        ("UPDATE post SET n = 4 WHERE id = 3", "n of post"),
        ("UPDATE post SET id = 4 WHERE id = 3", "id of post"),
        ("DECLARE c CURSOR FOR SELECT 1", "transaction block"),
        ("ALTER TABLE note ADD v text GENERATED ALWAYS AS (low('A')) VIRTUAL", "calls low()"),
        ("ALTER TABLE ONLY party RENAME since TO start", "cannot be changed alone"),
        ("ALTER TABLE ONLY party ALTER since TYPE text", "cannot be changed alone"),
        ("ALTER TABLE ONLY party ADD CHECK (id > 0)", "cannot be changed alone"),
        ("ALTER TABLE ONLY hit ALTER path SET NOT NULL", "cannot be changed alone"),
        ("ALTER TABLE ONLY hit DROP COLUMN page", "its partitions have it too"),
        ("ALTER TABLE firm DROP COLUMN since", "inherited from party"),
        ("ALTER TABLE firm RENAME since TO start", "inherited from party"),
        ("ALTER POLICY mine ON note TO app; ALTER TABLE note ALTER post_id TYPE bigint", "mine"),
    ],
)
def test_what_a_server_refuses(sql, words):
    assert words in " ".join(e.message.replace('"', "") for e in report(sql).errors)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO post (id, title, n) OVERRIDING SYSTEM VALUE VALUES (4, 'a', DEFAULT)",
        "INSERT INTO post (id, title) OVERRIDING USER VALUE SELECT id, title FROM post",
        "ALTER TABLE post ALTER id SET GENERATED BY DEFAULT; UPDATE post SET id = 4 WHERE id = 3",
        "ALTER TABLE post REPLICA IDENTITY USING INDEX post_pkey",
        "ALTER TABLE note SET SCHEMA old; DROP INDEX old.note_post; "
        "SELECT nextval('old.note_id_seq')",
        "ALTER TYPE mood SET SCHEMA old; ALTER TABLE post ADD COLUMN m old.mood",
        "ALTER FUNCTION key() SET SCHEMA old; SELECT old.key()",
        "ALTER FUNCTION f() RENAME TO g; DROP FUNCTION g() CASCADE",
        "ALTER SCHEMA public RENAME TO app; SELECT app.key(); DROP INDEX app.post_word; "
        "ALTER TABLE app.post ADD COLUMN m app.mood",
        "ALTER TABLE day DETACH PARTITION day_2025; "
        "ALTER TABLE day_2025 DROP CONSTRAINT day_2025_pkey",
        "ALTER TABLE hit_2025 ATTACH PARTITION more FOR VALUES WITH (MODULUS 4, REMAINDER 3)",
    ],
)
def test_what_a_server_takes(sql):
    assert report(sql).errors == ()


@pytest.mark.parametrize(("now", "copies"), [("STABLE", ()), ("VOLATILE", ("post",))])
def test_a_function_is_as_volatile_as_it_was_altered_to_be(now, copies):
    found = report(f"ALTER FUNCTION key() {now}; ALTER TABLE post ADD COLUMN k text DEFAULT key()")
    assert found.rewrites_tables == copies


PARTS = """
CREATE TABLE sale (at timestamptz NOT NULL, n int, region text) PARTITION BY RANGE (at);
CREATE TABLE sale_a PARTITION OF sale FOR VALUES FROM ('2025-01-01') TO ('2025-07-01');
CREATE TABLE sale_b PARTITION OF sale FOR VALUES FROM ('2025-07-01') TO ('2026-01-01')
  PARTITION BY LIST (n);
CREATE TABLE sale_b_1 PARTITION OF sale_b FOR VALUES IN (1, 2);
CREATE TABLE sale_b_3 PARTITION OF sale_b FOR VALUES IN (3);
CREATE TABLE sale_rest PARTITION OF sale DEFAULT;
"""


@pytest.mark.parametrize(
    ("rest", "kept"),
    [
        ("WHERE at < '2025-02-01'", {"a", "rest"}),
        ("WHERE at >= '2025-01-01' AND at < timestamptz '2025-07-01'", {"a"}),
        ("WHERE at >= '2025-01-01' AND at <= '2025-07-01'", {"a", "b", "b_1", "b_3"}),
        ("WHERE at BETWEEN '2025-02-01' AND '2025-03-01' AND n = 3", {"a"}),
        ("WHERE at = '2025-08-01' AND sale.n IN (2, 3)", {"b", "b_1", "b_3"}),
        ("WHERE at > '2025-08-01' AND n = 3", {"b", "b_3", "rest"}),
        ("WHERE at < now()", {"a", "b", "b_1", "b_3", "rest"}),
        ("WHERE at < date '2025-02-01'", {"a", "b", "b_1", "b_3", "rest"}),
        ("WHERE at < '2025-02-01' OR n = 3", {"a", "b", "b_1", "b_3", "rest"}),
        ("", {"a", "b", "b_1", "b_3", "rest"}),
    ],
)
def test_partitions_that_constants_rule_out_are_not_locked(rest, kept):
    catalog, _ = build(PARTS, version=18)
    found = validate(f"DELETE FROM sale {rest}", file="m.sql", catalog=catalog)
    assert found.locks.keys() == {"sale", *(f"sale_{each}" for each in kept)}


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        ("VALUES ('2025-02-01', 1)", {"a"}),
        ("VALUES ('2025-02-01', 1), ('2027-01-01', 1)", {"a", "rest"}),
        ("VALUES ('2025-08-01', 3)", {"b", "b_3"}),
        ("VALUES (now(), 3)", {"a", "b", "b_3", "rest"}),
        ("SELECT now(), 3", {"a", "b", "b_1", "b_3", "rest"}),
    ],
)
def test_rows_go_to_their_partition(rows, kept):
    catalog, _ = build(PARTS, version=18)
    found = validate(f"INSERT INTO sale (at, n) {rows}", file="m.sql", catalog=catalog)
    assert found.locks.keys() == {"sale", *(f"sale_{each}" for each in kept)}
