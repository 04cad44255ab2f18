"""What files of the eighteenth unseen set found wrong, and statements next to them: indexes that a
partition has from its parent, bounds that a written row meets, what goes on to tables that inherit;
measured on real servers (tests/data/unseen)."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.validate import validate
from tests.support.said_locks import said_locks

SCHEMA = """
CREATE TABLE people (id bigint PRIMARY KEY);
CREATE TABLE moves (id bigint);
CREATE TABLE calls (id bigint, at date NOT NULL, caller text NOT NULL, PRIMARY KEY (id, at))
  PARTITION BY RANGE (at);
CREATE TABLE calls_1 PARTITION OF calls FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE INDEX calls_caller ON calls (caller, at);
CREATE TABLE days (k text, at date, n int) PARTITION BY RANGE (at);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')
  PARTITION BY LIST (k);
CREATE TABLE days_1_a PARTITION OF days_1 FOR VALUES IN ('a');
CREATE TABLE feb (id bigint, at date NOT NULL, caller text NOT NULL, PRIMARY KEY (id, at));
CREATE INDEX feb_caller ON feb (caller, at);
CREATE TABLE old (id int); CREATE TABLE old_more (x int) INHERITS (old);
"""
FEB = """
ALTER TABLE feb ADD CONSTRAINT c CHECK (at >= '2026-02-01' AND at < '2026-03-01') NOT VALID;
ALTER TABLE feb VALIDATE CONSTRAINT c;
"""


def report(sql, version=18):
    catalog = build(SCHEMA, version=version)[0]
    return validate(sql, file="m.sql", server_version=version, catalog=catalog)


@pytest.mark.parametrize(
    "sql",
    [
        "CLUSTER calls_1 USING calls_1_caller_at_idx;",
        "ALTER TABLE calls_1 CLUSTER ON calls_1_pkey; CLUSTER calls_1;",
        "ALTER TABLE calls_1 REPLICA IDENTITY USING INDEX calls_1_pkey;",
        "CREATE TABLE calls_2 PARTITION OF calls FOR VALUES FROM ('2026-02-01') TO ('2026-03-01'); "
        "CLUSTER calls_2 USING calls_2_caller_at_idx;",
    ],
)
def test_an_index_that_a_partition_has_from_its_parent_is_found_by_name(sql):
    assert not report(sql).errors


@pytest.mark.parametrize(
    "sql",
    [
        "CLUSTER calls_1 USING calls_caller;",
        "CLUSTER moves USING calls_1_pkey;",
        "ALTER TABLE calls_1 REPLICA IDENTITY USING INDEX calls_pkey;",
        "ALTER TABLE calls CLUSTER ON calls_caller;",
        "ALTER TABLE calls SET WITHOUT CLUSTER;",
    ],
)
def test_one_that_it_has_not_is_missing(sql):
    assert len(report(sql).errors) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE calls_1 RENAME TO jan; CLUSTER jan USING calls_1_caller_at_idx;",
        "ALTER TABLE calls RENAME TO c; ALTER TABLE calls_1 CLUSTER ON calls_1_pkey;",
        "CREATE SCHEMA s; ALTER TABLE calls_1 SET SCHEMA s; CLUSTER s.calls_1 USING calls_1_pkey;",
        "ALTER INDEX calls_1_caller_at_idx RENAME TO jan; DROP INDEX calls_caller; "
        "CREATE INDEX CONCURRENTLY jan ON calls_1 (caller);",
        "ALTER INDEX calls_1_caller_at_idx RENAME TO jan; ALTER INDEX calls_caller RENAME TO c; "
        "DROP INDEX c; CREATE INDEX CONCURRENTLY jan ON calls_1 (caller);",
        "ALTER TABLE calls_1 CLUSTER ON calls_1_pkey; "
        "ALTER TABLE calls RENAME CONSTRAINT calls_pkey TO c; "
        "ALTER TABLE calls DROP CONSTRAINT c; CREATE INDEX calls_1_pkey ON calls_1 (caller);",
    ],
)
def test_such_an_index_keeps_its_name_and_goes_with_that_of_its_parent(sql):
    assert not report(sql).errors


def test_while_that_of_the_parent_is_there_it_is_there():
    made = "ALTER INDEX calls_1_caller_at_idx RENAME TO jan; CREATE INDEX jan ON calls_1 (caller);"
    assert any('"jan" already exists' in error.message for error in report(made).errors)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO days_1_a VALUES ('a', '2026-01-05', 1);",
        "UPDATE days_1_a SET n = 2 WHERE k = 'a';",
        "MERGE INTO days_1_a d USING (VALUES (1)) v (i) ON d.n = v.i "
        "WHEN MATCHED THEN UPDATE SET n = 2;",
    ],
)
def test_a_row_that_is_written_to_a_partition_must_be_within_all_bounds(sql):
    assert said_locks(report(sql)) == {
        "days": "AccessShare",
        "days_1": "AccessShare",
        "days_1_a": "RowExclusive",
    }


def test_one_that_is_deleted_or_comes_from_above_need_not():
    assert said_locks(report("DELETE FROM days_1_a WHERE n = 1;")) == {"days_1_a": "RowExclusive"}
    assert (
        "AccessShare"
        not in said_locks(report("INSERT INTO days VALUES ('a', '2026-01-05', 1);")).values()
    )


def test_a_partition_that_is_detached_concurrently_gets_its_bounds_as_a_check():
    inner = said_locks(report("ALTER TABLE days_1 DETACH PARTITION days_1_a CONCURRENTLY;"))
    assert inner == {
        "days": "AccessShare",
        "days_1": "ShareUpdateExclusive",
        "days_1_a": "AccessExclusive",
    }
    hashed = (
        SCHEMA
        + """
        CREATE TABLE days_9 PARTITION OF days FOR VALUES FROM ('2026-09-01') TO ('2026-10-01')
          PARTITION BY HASH (n);
        CREATE TABLE days_9_0 PARTITION OF days_9 FOR VALUES WITH (MODULUS 2, REMAINDER 0);"""
    )
    sql = "ALTER TABLE days_9 DETACH PARTITION days_9_0 CONCURRENTLY;"
    found = validate(sql, file="m.sql", catalog=build(hashed, version=18)[0])
    assert set(said_locks(found)) == {"days_9", "days_9_0"}
    outer = said_locks(report("ALTER TABLE days DETACH PARTITION days_1 CONCURRENTLY;"))
    assert outer["days_1_a"] == "AccessExclusive"
    plain = said_locks(report("ALTER TABLE days DETACH PARTITION days_1;"))
    assert plain["days_1_a"] == "AccessExclusive"


@pytest.mark.parametrize("how", ["", "CONCURRENTLY "])
def test_tables_that_inherit_have_indexes_of_their_own(how):
    assert set(said_locks(report(f"CREATE INDEX {how}i ON old (id);"))) == {"old"}
    dropped = report(f"CREATE INDEX i ON old (id); DROP INDEX {how}i;")
    assert set(said_locks(dropped)) == {"old"}


HEIRS = "CREATE UNIQUE INDEX CONCURRENTLY i ON old (id); ALTER TABLE old ADD {} USING INDEX i;"


@pytest.mark.parametrize(
    ("sql", "before", "since"),
    [
        ("ALTER TABLE old ADD UNIQUE (id);", set(), {"old_more"}),
        ("ALTER TABLE old ADD FOREIGN KEY (id) REFERENCES people (id);", set(), {"old_more"}),
        ("ALTER TABLE old ADD CHECK (id > 0);", {"old_more"}, {"old_more"}),
        ("ALTER TABLE old ADD PRIMARY KEY (id);", {"old_more"}, {"old_more"}),
        (HEIRS.format("UNIQUE"), set(), {"old_more"}),
        (HEIRS.format("PRIMARY KEY"), {"old_more"}, {"old_more"}),
    ],
)
def test_which_constraints_go_on_to_tables_that_inherit(sql, before, since):
    assert said_locks(report(sql, version=15)).keys() & {"old_more"} == before
    assert said_locks(report(sql, version=18)).keys() & {"old_more"} == since


def test_a_primary_key_over_an_index_looks_at_the_rows_of_heirs_too():
    assert report(HEIRS.format("PRIMARY KEY")).blocks_reads_of == ("old", "old_more")


def test_readers_of_the_parent_do_not_wait_for_what_the_open_block_attached():
    attach = (
        "ALTER TABLE calls ATTACH PARTITION feb FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');"
    )
    then = "CREATE INDEX ON people (id);"
    inside = report(f"{FEB} BEGIN; {attach} {then} COMMIT;")
    assert inside.blocks_reads_of == ("feb",)
    detach = "ALTER TABLE calls DETACH PARTITION feb;"
    outside = report(
        f"{FEB} {attach} BEGIN; LOCK TABLE feb IN ACCESS EXCLUSIVE MODE; {then} COMMIT;"
    )
    assert outside.blocks_reads_of == ("calls", "feb")
    again = report(f"{FEB} BEGIN; {attach} COMMIT; BEGIN; {detach} {then} COMMIT;")
    assert again.blocks_reads_of == ("calls", "feb")


DUMPED = """
CREATE TABLE d (id int NOT NULL) PARTITION BY LIST (id); CREATE TABLE d_1 (id int NOT NULL);
ALTER TABLE ONLY d ATTACH PARTITION d_1 FOR VALUES IN (1);
ALTER TABLE ONLY d ADD CONSTRAINT d_pkey PRIMARY KEY (id);
ALTER TABLE ONLY d_1 ADD CONSTRAINT d_1_pkey PRIMARY KEY (id);
ALTER INDEX d_pkey ATTACH PARTITION d_1_pkey;
"""


def test_a_key_of_a_partition_goes_with_that_of_its_parent_and_not_alone():
    def errors(sql):
        catalog = build(DUMPED, version=18)[0]
        return [each.message for each in validate(sql, file="m.sql", catalog=catalog).errors]

    assert errors("ALTER TABLE d_1 DROP CONSTRAINT d_1_pkey;") == [
        "d_1 has the constraint d_1_pkey from its parent"
    ]
    gone = "ALTER TABLE d DROP CONSTRAINT d_pkey; "
    assert not errors(gone + "ALTER TABLE d_1 ADD CONSTRAINT d_1_pkey PRIMARY KEY (id);")
    assert not errors(gone + "ALTER TABLE d ADD PRIMARY KEY (id);")
