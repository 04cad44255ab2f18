"""What files that were written after the rules found wrong in them, each measured on real servers
(tests/data/unseen)."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.validate import validate

SCHEMA = """
CREATE DOMAIN code AS varchar(12);
CREATE TABLE bins (id bigint PRIMARY KEY, label code, made timestamp(3), attributes jsonb);
CREATE INDEX bins_attributes ON bins USING gin (attributes);
CREATE TABLE lines (id bigint PRIMARY KEY, bin_id bigint REFERENCES bins (id) ON DELETE CASCADE);
CREATE TABLE scans (id bigint NOT NULL, bin_id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE scans_2025 PARTITION OF scans FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
ALTER TABLE scans ADD PRIMARY KEY (id, at);
CREATE INDEX scans_bin ON scans (bin_id);
CREATE TABLE old (id bigint NOT NULL, bin_id bigint, at timestamptz NOT NULL,
  CHECK (at >= '2024-01-01' AND at < '2025-01-01'));
CREATE INDEX bins_lower ON bins (lower(label));
CREATE TABLE log (at timestamptz, region text NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE log_default PARTITION OF log DEFAULT;
CREATE TABLE sale (region text NOT NULL) PARTITION BY LIST (region);
CREATE TABLE sale_default PARTITION OF sale DEFAULT;
CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT count(*) FROM lines $$;
CREATE TABLE base (id int); CREATE TABLE child () INHERITS (base);
"""  # noqa: E501
ATTACH = "ALTER TABLE scans ATTACH PARTITION old FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')"
INDEX = "CREATE INDEX CONCURRENTLY ON old (bin_id);"
UNIQUE = "CREATE UNIQUE INDEX CONCURRENTLY old_key ON old (id, at);"
KEY = "ALTER TABLE old ADD PRIMARY KEY USING INDEX old_key;"


def report(sql):
    catalog = build(SCHEMA, version=18)[0]
    catalog.settings["timezone"] = "UTC"
    return validate(sql, file="m.sql", catalog=catalog)


@pytest.mark.parametrize(
    ("type_", "copies"),
    [("timestamptz", False), ("timestamptz(6)", False), ("timestamptz(3)", True)],
)
def test_a_limit_on_a_moment_with_a_time_zone_copies_the_table(type_, copies):
    found = report(f"ALTER TABLE bins ALTER made TYPE {type_}")
    assert found.rewrites_tables == (("bins",) if copies else ())


@pytest.mark.parametrize(("type_", "copies"), [("text", False), ("varchar(12)", True)])
def test_the_limit_of_a_domain_does_not_spare_that_of_a_type(type_, copies):
    found = report(f"ALTER TABLE bins ALTER label TYPE {type_}")
    assert found.rewrites_tables == (("bins",) if copies else ())


def test_an_index_must_have_a_class_for_the_new_type():
    (error,) = report("ALTER TABLE bins ALTER attributes TYPE json").errors
    assert "json has no default operator class for access method gin" in error.message


@pytest.mark.parametrize("sql", ["REINDEX TABLE scans", "REINDEX INDEX scans_bin"])
def test_reindex_of_what_is_partitioned_reaches_the_partitions(sql):
    found = report(sql)
    assert found.blocks_reads_of == ("scans", "scans_2025")
    assert found.locks == {"scans": "ShareLock", "scans_2025": "ShareLock"}
    assert not found.plan[0].transaction
    concurrently = report(sql.replace(" scans", " CONCURRENTLY scans"))
    listed = "ShareLock" if "TABLE" in sql else "ShareUpdateExclusiveLock"
    assert concurrently.locks["scans_2025"] == listed
    assert (concurrently.blocks_reads_of, concurrently.blocks_writes_of) == ((), ())


@pytest.mark.parametrize(
    ("before", "built"),
    [("", True), (INDEX, True), (INDEX + UNIQUE, True), (INDEX + UNIQUE + KEY, False)],
)
def test_attach_builds_the_indexes_that_the_new_partition_lacks(before, built):
    found = report(before + ATTACH)
    assert not found.errors
    assert found.operations[-1].scans_table is built


def test_only_leaves_the_children_alone():
    assert report("TRUNCATE ONLY base").locks == {"base": "AccessExclusiveLock"}
    assert set(report("TRUNCATE base").locks) == {"base", "child"}
    assert report("ALTER TABLE child NO INHERIT base").locks["base"] == "AccessShareLock"


@pytest.mark.parametrize("where", ["false", "1 = 2"])
def test_a_where_that_is_never_true_changes_nothing(where):
    found = report(f"DELETE FROM bins WHERE {where}")
    assert (found.destructive, found.bulk_dml) == (False, False)
    assert found.locks == {"bins": "RowExclusiveLock"}
    assert report("DELETE FROM bins WHERE 1 = 1").destructive


def test_a_loop_over_a_written_array_runs_for_each_element():
    loop = "FOREACH t IN ARRAY ARRAY['bins', 'lines'] LOOP EXECUTE format('DROP TABLE %I', t);"
    found = report(f"DO $$ DECLARE t text; BEGIN {loop} END LOOP; END $$")
    assert found.locks == {"bins": "AccessExclusiveLock", "lines": "AccessExclusiveLock"}
    select = "FOR t IN SELECT unnest(ARRAY['bins']) LOOP EXECUTE 'DROP TABLE ' || t; END LOOP;"
    assert report(f"DO $$ DECLARE t text; BEGIN {select} END $$").locks.keys() == {"bins"}
    role = "FOREACH t IN ARRAY ARRAY['a', 'postgres'] LOOP EXECUTE 'SET ROLE ' || t; END LOOP;"
    (error,) = report(f"DO $$ DECLARE t text; BEGIN {role} END $$").errors
    assert error.kind == "forbidden"


def test_from_text_alone_a_type_takes_its_columns_along():
    found = validate("DROP TYPE tier CASCADE", file="m.sql")
    assert found.destructive
    assert not validate("DROP TYPE tier", file="m.sql").destructive


def test_an_index_over_an_expression_is_built_again_with_its_column():
    found = report("ALTER TABLE bins ALTER label TYPE text")
    assert (found.rewrites_tables, found.blocks_reads_of) == ((), ("bins",))


def test_an_index_that_every_partition_has_is_not_built():
    one = "CREATE INDEX CONCURRENTLY ON scans_2025 (at);"
    assert report("CREATE INDEX ON scans (at)").blocks_writes_of == ("scans", "scans_2025")
    assert report(f"{one} CREATE INDEX ON scans (at)").blocks_writes_of == ()
    assert report(f"{one} CREATE UNIQUE INDEX ON scans (at)").blocks_writes_of
    assert report(f"{one} CREATE INDEX ON scans USING hash (at)").blocks_writes_of


LOW, HIGH = "at >= '2026-02-01'", "at < '2026-03-01'"


@pytest.mark.parametrize(
    ("check", "proves"),
    [
        (f"NOT ({LOW} AND {HIGH})", True),
        ("at < '2026-02-01' OR at >= '2026-03-01'", True),
        ("at < '2026-02-01'", True),
        ("at < '2026-02-10'", False),
        (f"NOT ({LOW} AND {HIGH} AND region = 'x')", False),
        (f"NOT ({LOW})", True),
        ("at < '2026-02-02' OR at >= '2026-03-01'", False),
    ],
)
def test_a_check_of_the_default_partition_spares_its_scan(check, proves):
    add = f"ALTER TABLE log_default ADD CONSTRAINT c CHECK ({check}) NOT VALID;"
    valid = "ALTER TABLE log_default VALIDATE CONSTRAINT c;"
    make = "CREATE TABLE n PARTITION OF log FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')"
    assert report(add + valid + make).operations[-1].scans_table is not proves
    assert report(add + make).operations[-1].scans_table


@pytest.mark.parametrize(
    ("check", "proves"),
    [
        ("region <> 'eu'", True),
        ("region NOT IN ('us', 'eu')", True),
        ("NOT (region = 'eu')", True),
        ("NOT (region IN ('us', 'eu'))", True),
        ("region <> 'us'", False),
        ("region <> 'eu' OR region <> 'us'", False),
    ],
)
def test_a_check_of_a_default_list_partition_spares_its_scan(check, proves):
    add = f"ALTER TABLE sale_default ADD CONSTRAINT c CHECK ({check});"
    make = "CREATE TABLE n PARTITION OF sale FOR VALUES IN ('eu')"
    assert report(add + make).operations[-1].scans_table is not proves


def test_a_stable_function_reads_what_it_reads():
    assert report("SELECT counted()").locks == {"lines": "AccessShareLock"}


def test_a_constraint_made_with_its_table_is_valid():
    made = "CREATE TABLE t (id int, CONSTRAINT c CHECK (id > 0) NOT VALID);"
    catalog = build(made, version=18)[0]
    assert catalog.relations["public", "t"].constraints["c"].valid


def test_a_check_of_the_parent_proves_its_partitions():
    add = "ALTER TABLE scans ADD CONSTRAINT there CHECK (bin_id IS NOT NULL) NOT VALID;"
    valid = "ALTER TABLE scans VALIDATE CONSTRAINT there;"
    mark = "ALTER TABLE scans ALTER bin_id SET NOT NULL"
    assert report(add + mark).blocks_reads_of == ("scans", "scans_2025")
    assert report(add + valid + mark).blocks_reads_of == ()


def test_a_child_that_goes_does_not_hold_its_parent():
    assert report("DROP TABLE child").locks == {"child": "AccessExclusiveLock"}


def test_a_loop_over_an_array_in_one_text_runs_for_each_element():
    loop = "FOREACH t IN ARRAY '{bins,lines}'::text[] LOOP EXECUTE 'ANALYZE ' || t; END LOOP;"
    found = report(f"DO $$ DECLARE t text; BEGIN {loop} END $$")
    assert found.locks == dict.fromkeys(("bins", "lines"), "ShareUpdateExclusiveLock")


def test_a_schema_takes_along_what_others_use_of_it():
    made = (
        "CREATE SCHEMA s; CREATE TYPE s.tier AS ENUM ('a'); CREATE TABLE t (id int, tier s.tier);"
    )
    found = validate("DROP SCHEMA s CASCADE", file="m.sql", catalog=build(made, version=18)[0])
    assert found.destructive
    assert found.locks == {"t": "AccessExclusiveLock"}


@pytest.mark.parametrize(
    ("query", "reads"),
    [
        ("CREATE TABLE n AS SELECT * FROM lines WHERE false", False),
        ("CREATE TABLE n AS SELECT * FROM lines LIMIT 0", False),
        ("SELECT * INTO n FROM lines WHERE 1 = 2", False),
        ("INSERT INTO base SELECT id FROM lines WHERE false", False),
        ("COPY (SELECT * FROM lines WHERE false) TO STDOUT", False),
        ("CREATE TABLE n AS SELECT * FROM lines LIMIT 1", True),
        ("CREATE TABLE n AS SELECT * FROM lines WHERE id > 3", True),
        ("SELECT id FROM bins WHERE false UNION ALL SELECT id FROM lines", True),
        ("INSERT INTO base SELECT id FROM lines", True),
    ],
)
def test_a_query_of_which_nothing_can_come_reads_no_row(query, reads):
    found = report(f"BEGIN; ALTER TABLE child ADD COLUMN x int; {query}; COMMIT")
    assert found.locks["child"] == "AccessExclusiveLock"
    assert ("child" in found.blocks_reads_of) is reads
