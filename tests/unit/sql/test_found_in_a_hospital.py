"""What files of the seventeenth unseen set found wrong, and the statements next to them: LIKE, NOT
ENFORCED, what CREATE TRIGGER is refused for; each measured on real servers (tests/data/unseen)."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.validate import validate
from tests.support.said_locks import said_locks

SCHEMA = """
CREATE TABLE site (id int PRIMARY KEY);
CREATE TABLE person (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE,
  site_id int CONSTRAINT lives REFERENCES site (id), kg numeric, born date NOT NULL,
  heavy boolean GENERATED ALWAYS AS (kg > 100) STORED, CONSTRAINT positive CHECK (kg > 0));
CREATE INDEX person_born ON person (born, name);
CREATE TABLE result (id bigint NOT NULL, at date NOT NULL, PRIMARY KEY (id, at))
  PARTITION BY RANGE (at);
CREATE TABLE result_26 PARTITION OF result FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX ON result (at);
CREATE TABLE visit (id int REFERENCES site (id), at date) PARTITION BY LIST (id);
CREATE TABLE visit_1 PARTITION OF visit FOR VALUES IN (1);
CREATE TABLE old_result (LIKE result INCLUDING ALL,
  CONSTRAINT of_25 CHECK (at >= '2025-01-01' AND at < '2026-01-01'));
CREATE VIEW born AS SELECT id, born FROM person;
CREATE MATERIALIZED VIEW heavy AS SELECT id FROM person WHERE heavy;
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION number() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 2 * n';
"""
COPY = "CREATE TABLE copied (LIKE person"
ATTACH = "ALTER TABLE result ATTACH PARTITION"
IN_25 = "FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')"


def report(sql: str, *, version: int = 18):
    return validate(
        sql, file="m.sql", server_version=version, catalog=build(SCHEMA, version=version)[0]
    )


def problems(sql: str, *, version: int = 18) -> str:
    return "; ".join(error.message for error in report(sql, version=version).errors)


def test_a_copy_with_the_indexes_of_a_partitioned_table_is_attached_without_building_one() -> None:
    found = report(f"{ATTACH} old_result {IN_25};")

    assert not found.errors
    assert found.blocks_reads_of == found.blocks_writes_of == ()


@pytest.mark.parametrize("less", ["INCLUDING ALL EXCLUDING INDEXES", "INCLUDING DEFAULTS"])
def test_what_a_copy_has_not_is_built_when_it_is_attached(less: str) -> None:
    sql = f"ALTER TABLE old_result DROP CONSTRAINT old_result_pkey; {ATTACH} old_result {IN_25};"
    assert report(sql).blocks_writes_of == ("old_result",)

    new = f"CREATE TABLE n (LIKE result {less}); CREATE TABLE m (LIKE n INCLUDING INDEXES);"
    assert "does not exist" in problems(new + "DROP INDEX m_at_idx;")


@pytest.mark.parametrize(
    ("options", "then"),
    [
        ("INCLUDING INDEXES", "DROP INDEX copied_born_name_idx;"),
        ("INCLUDING INDEXES", "ALTER TABLE copied DROP CONSTRAINT copied_name_key;"),
        ("INCLUDING INDEXES", "ALTER TABLE copied DROP CONSTRAINT copied_pkey;"),
        ("INCLUDING CONSTRAINTS", "ALTER TABLE copied DROP CONSTRAINT positive;"),
        ("INCLUDING GENERATED", "ALTER TABLE copied ALTER heavy DROP EXPRESSION;"),
        ("INCLUDING IDENTITY", "ALTER SEQUENCE copied_id_seq RESTART;"),
        ("INCLUDING IDENTITY", "ALTER TABLE copied ALTER id DROP IDENTITY;"),
    ],
)
def test_like_takes_what_is_included_and_nothing_else(options: str, then: str) -> None:
    assert problems(f"{COPY} {options}); {then}") == ""
    assert problems(f"{COPY}); {then}") != ""
    assert problems(f"{COPY} INCLUDING ALL EXCLUDING {options.split()[1]}); {then}") != ""


def test_a_column_that_like_copied_without_its_expression_is_written_like_any_other() -> None:
    write = "INSERT INTO copied (id, born, heavy) VALUES (1, '2000-01-01', true);"
    assert problems(f"{COPY}); {write}") == ""
    assert "generated" in problems(f"{COPY} INCLUDING GENERATED); {write}")


def test_indexes_of_a_partition_come_with_like_too() -> None:
    sql = "CREATE TABLE n (LIKE result_26 INCLUDING INDEXES);"
    assert problems(sql + "DROP INDEX n_at_idx; ALTER TABLE n DROP CONSTRAINT n_pkey;") == ""


def test_a_table_with_an_identity_is_no_partition_since_17() -> None:
    sql = f"ALTER TABLE old_result ALTER id ADD GENERATED ALWAYS AS IDENTITY; {ATTACH} old_result"

    assert "identity" in problems(f"{sql} {IN_25};")
    assert problems(f"{sql} {IN_25};", version=16) == ""


def test_what_is_not_enforced_any_more_is_held_on_both_sides() -> None:
    free = "ALTER TABLE person ALTER CONSTRAINT lives NOT ENFORCED;"
    assert said_locks(report(free)) == {"person": "AccessExclusive", "site": "AccessExclusive"}
    assert report(free).blocks_writes_of == ()

    again = "ALTER TABLE person ALTER CONSTRAINT lives ENFORCED;"
    assert said_locks(report(again)) == {"person": "AccessExclusive"}
    assert report(again).blocks_writes_of == ()
    assert report(free + again).blocks_writes_of == ("person", "site")
    assert "came with PostgreSQL 18" in problems(free, version=17)


def test_the_partitions_are_held_with_it() -> None:
    found = report("ALTER TABLE visit ALTER CONSTRAINT visit_id_fkey NOT ENFORCED;")

    assert set(said_locks(found)) == {"site", "visit", "visit_1"}
    assert set(said_locks(found).values()) == {"AccessExclusive"}


def test_what_is_not_enforced_is_not_validated() -> None:
    sql = "ALTER TABLE site ADD CONSTRAINT c CHECK (id > 0) NOT ENFORCED;"
    assert "NOT ENFORCED" in problems(sql + "ALTER TABLE site VALIDATE CONSTRAINT c;")


def trigger(what: str, run: str = "keep()") -> str:
    return f"CREATE TRIGGER t {what} EXECUTE FUNCTION {run};"


@pytest.mark.parametrize(
    "what",
    [
        "BEFORE UPDATE ON person FOR EACH ROW WHEN (OLD.heavy AND OLD.* = OLD.*)",
        "AFTER UPDATE ON person FOR EACH ROW WHEN (NEW.heavy AND OLD.* IS DISTINCT FROM NEW.*)",
        "BEFORE UPDATE ON site FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)",
        "AFTER UPDATE ON site WHEN (current_user <> 'me')",
        "INSTEAD OF INSERT OR DELETE ON born FOR EACH ROW",
        "AFTER INSERT ON born FOR EACH STATEMENT",
        "AFTER UPDATE ON result REFERENCING OLD TABLE AS o NEW TABLE AS n",
        "AFTER DELETE ON site REFERENCING OLD TABLE AS o FOR EACH ROW",
        "AFTER TRUNCATE ON result",
    ],
)
def test_a_trigger_that_the_server_takes(what: str) -> None:
    assert problems(trigger(what)) == ""


@pytest.mark.parametrize(
    "what",
    [
        "BEFORE UPDATE ON person FOR EACH ROW WHEN (NEW.heavy)",
        "BEFORE UPDATE ON person FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)",
        "BEFORE INSERT ON person FOR EACH ROW WHEN (NEW IS NOT NULL)",
        "BEFORE UPDATE ON site FOR EACH ROW WHEN (NEW.tableoid > 0)",
        "BEFORE INSERT OR UPDATE ON site FOR EACH ROW WHEN (OLD.id > 0)",
        "AFTER DELETE ON site FOR EACH ROW WHEN (NEW.id > 0)",
        "AFTER UPDATE ON site WHEN (NEW.id > 0)",
        "AFTER UPDATE ON site FOR EACH ROW WHEN (NEW.nope > 0)",
        "AFTER UPDATE ON site FOR EACH ROW WHEN (id > 0)",
        "AFTER UPDATE ON site FOR EACH ROW WHEN (NEW.id = (SELECT 1))",
        "INSTEAD OF UPDATE ON site FOR EACH ROW",
        "INSTEAD OF UPDATE ON born",
        "INSTEAD OF UPDATE OF id ON born FOR EACH ROW",
        "INSTEAD OF UPDATE ON born FOR EACH ROW WHEN (NEW.id > 0)",
        "BEFORE UPDATE ON born FOR EACH ROW",
        "BEFORE TRUNCATE ON born",
        "AFTER UPDATE ON heavy",
        "BEFORE TRUNCATE ON site FOR EACH ROW",
        "BEFORE UPDATE ON site REFERENCING NEW TABLE AS n",
        "AFTER TRUNCATE ON site REFERENCING OLD TABLE AS o",
        "AFTER INSERT OR UPDATE ON site REFERENCING NEW TABLE AS n",
        "AFTER INSERT ON site REFERENCING OLD TABLE AS o",
        "AFTER DELETE ON site REFERENCING NEW TABLE AS n",
        "AFTER UPDATE OF id ON site REFERENCING NEW TABLE AS n",
        "AFTER INSERT ON born REFERENCING NEW TABLE AS n",
        "AFTER UPDATE ON result REFERENCING NEW TABLE AS n FOR EACH ROW",
        "AFTER UPDATE ON result_26 REFERENCING NEW TABLE AS n FOR EACH ROW",
    ],
)
def test_a_trigger_that_the_server_refuses(what: str) -> None:
    assert problems(trigger(what)) != ""


@pytest.mark.parametrize("run", ["number()", "twice()", "twice(1)"])
def test_a_trigger_runs_a_function_that_returns_one(run: str) -> None:
    assert problems(trigger("AFTER UPDATE ON site FOR EACH ROW", run)) != ""
    assert problems(trigger("AFTER UPDATE ON site FOR EACH ROW", "keep('a', 1)")) == ""


@pytest.mark.parametrize(
    ("what", "switched", "reached"),
    [
        ("AFTER TRUNCATE ON result", "t", {"result"}),
        ("AFTER TRUNCATE ON result", "ALL", {"result"}),
        ("AFTER INSERT ON result FOR EACH ROW", "t", {"result", "result_26"}),
        ("AFTER INSERT ON result FOR EACH ROW", "USER", {"result", "result_26"}),
        ("AFTER TRUNCATE ON visit", "ALL", {"visit", "visit_1"}),
        ("AFTER TRUNCATE ON visit", "USER", {"visit"}),
    ],
)
def test_only_triggers_of_rows_are_switched_on_partitions(
    what: str, switched: str, reached: set[str]
) -> None:
    schema = SCHEMA + trigger(what)
    sql = f"ALTER TABLE {what.split()[3]} DISABLE TRIGGER {switched};"
    found = validate(sql, file="m.sql", catalog=build(schema, version=18)[0])

    assert set(said_locks(found)) == reached


IDENTITY = """
CREATE TABLE up (id int GENERATED ALWAYS AS IDENTITY, k int) PARTITION BY LIST (k);
CREATE TABLE up_1 PARTITION OF up FOR VALUES IN (1);
CREATE TABLE kin (id int GENERATED ALWAYS AS IDENTITY);
"""


@pytest.mark.parametrize(
    ("sql", "since_17", "before"),
    [
        ("INSERT INTO up_1 (id, k) VALUES (5, 1);", False, True),
        ("ALTER TABLE up DETACH PARTITION up_1; INSERT INTO up_1 VALUES (5, 1);", True, True),
        ("ALTER TABLE up_1 ALTER id DROP IDENTITY;", False, False),
        ("ALTER TABLE up ALTER id DROP IDENTITY; INSERT INTO up_1 VALUES (5, 1);", True, True),
        ("ALTER TABLE up DETACH PARTITION up_1; ALTER TABLE up ATTACH PARTITION up_1"
         " FOR VALUES IN (1); INSERT INTO up_1 VALUES (5, 1);", False, True),
        ("CREATE TABLE son () INHERITS (kin); INSERT INTO son VALUES (5);", True, True),
        ("CREATE TABLE so () INHERITS (kin); ALTER TABLE so ALTER id DROP IDENTITY", False, False),
    ],
)  # fmt: skip
def test_partitions_share_the_identity_since_17_and_children_never(
    sql: str, since_17: bool, before: bool
) -> None:
    for version, valid in ((18, since_17), (17, since_17), (16, before), (15, before)):
        catalog = build(IDENTITY, version=version)[0]
        found = validate(sql, file="m.sql", server_version=version, catalog=catalog)
        assert (found.errors == ()) is valid, (version, found.errors)


def test_an_identity_is_changed_with_its_partitions() -> None:
    sql = "ALTER TABLE up ALTER id DROP IDENTITY;"
    for version, held in ((18, {"up", "up_1"}), (16, {"up"})):
        catalog = build(IDENTITY, version=version)[0]
        found = validate(sql, file="m.sql", server_version=version, catalog=catalog)
        assert set(said_locks(found)) == held
