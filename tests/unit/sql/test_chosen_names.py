"""Names that PostgreSQL chooses: as indexes, constraints and sequences were named by real servers
(the seventeenth unseen set), also for partitions and copies; and what still hangs on a sequence."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.chosen_names import MOST_BYTES, chosen
from shared.sql.validate import validate
from tests.support.said_locks import said_locks

SCHEMA = """
CREATE TABLE t (id serial, a text, b integer, c text, done boolean, since timestamp, CHECK (b > 0));
CREATE TABLE p (a text, b integer) PARTITION BY LIST (b);
CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1);
"""
LONG = "a_very_long_name_for_a_table_of_patients_and_their_wards"


def problems(sql: str) -> list[str]:
    found = validate(sql, file="m.sql", catalog=build(SCHEMA, version=18)[0])
    return [error.message for error in found.errors]


@pytest.mark.parametrize(
    ("index", "name"),
    [
        ("(lower(a))", "t_lower_idx"),
        ("(a, lower(a))", "t_a_lower_idx"),
        ("(a, a)", "t_a_a1_idx"),
        ("((b + 1), (a IS NULL))", "t_expr_expr1_idx"),
        ("(b) INCLUDE (a)", "t_b_a_idx"),
        ("(b) WHERE done", "t_b_idx"),
        ("((b::text))", "t_b_idx"),
        ("((1::integer))", "t_int4_idx"),
        ('((a COLLATE "C"))', "t_a_idx"),
        ("(coalesce(a, c), nullif(a, c), greatest(a, c))", "t_coalesce_nullif_greatest_idx"),
        ("((CASE WHEN done THEN 1 ELSE b END))", "t_b_idx"),
        ("((CASE WHEN done THEN 1 ELSE 2 END))", "t_case_idx"),
        ("((ARRAY[a]))", "t_array_idx"),
        ("((since AT TIME ZONE 'UTC'))", "t_timezone_idx"),
        ("(extract(year FROM since))", "t_extract_idx"),
    ],
)
def test_an_index_without_a_name(index: str, name: str) -> None:
    assert problems(f"CREATE INDEX ON t {index}; DROP INDEX {name};") == []
    assert problems(f"CREATE INDEX ON t {index}; DROP INDEX {name}x;") != []
    copied = f"CREATE TABLE n (LIKE t INCLUDING INDEXES); DROP INDEX n{name[1:]};"
    assert problems(f"CREATE INDEX ON t {index}; {copied}") == []


def test_a_second_one_gets_a_number() -> None:
    both = "CREATE INDEX ON t (a); CREATE INDEX ON t (a) WHERE done;"
    assert problems(both + "DROP INDEX t_a_idx; DROP INDEX t_a_idx1;") == []


def test_the_partitions_have_theirs() -> None:
    sql = "CREATE INDEX ON p (lower(a)) INCLUDE (b); ALTER TABLE p DETACH PARTITION p_1;"
    assert problems(sql + "DROP INDEX p_1_lower_b_idx;") == []


@pytest.mark.parametrize(
    ("constraint", "name"),
    [
        ("UNIQUE (a, b)", "t_a_b_key"),
        ("UNIQUE (a, b) INCLUDE (c)", "t_a_b_c_key"),
        ("PRIMARY KEY (id)", "t_pkey"),
        ("CHECK (b < 9)", "t_b_check1"),
        ("CHECK (b < 9 AND id > 0)", "t_check"),
        ("EXCLUDE (lower(a) WITH =, b WITH =)", "t_lower_b_excl"),
        ("NOT NULL a", "t_a_not_null"),
    ],
)
def test_a_constraint_without_a_name(constraint: str, name: str) -> None:
    add = f"ALTER TABLE t ADD {constraint};"
    assert problems(f"{add} ALTER TABLE t DROP CONSTRAINT {name};") == []
    assert problems(f"{add} ALTER TABLE t DROP CONSTRAINT {name}x;") != []


def test_of_a_long_name_the_longer_part_is_cut_first() -> None:
    column = "a_rather_long_column"
    key = chosen(LONG, [column], "key")
    assert key == "a_very_long_name_for_a_table_of_patien_a_rather_long_column_key"
    assert len(key) == MOST_BYTES
    assert problems(
        f"CREATE TABLE {LONG} ({column} serial UNIQUE);"
        f"ALTER TABLE {LONG} DROP CONSTRAINT {key};"
        f"ALTER SEQUENCE {chosen(LONG, [column], 'seq')} RESTART;"
    ) == []  # fmt: skip
    assert len(chosen("ä" * 60, [column], "idx").encode()) <= MOST_BYTES


def test_a_new_table_of_an_old_name_gets_another_sequence() -> None:
    new = "ALTER TABLE t RENAME TO old; CREATE TABLE t (id serial);"
    assert problems(new + "ALTER SEQUENCE t_id_seq1 RESTART;") == []
    assert problems(new + "DROP TABLE old;") == []


COPY = "CREATE TABLE n (LIKE t INCLUDING DEFAULTS);"


@pytest.mark.parametrize("drop", ["DROP TABLE t", "ALTER TABLE t DROP COLUMN id"])
def test_the_sequence_of_a_column_is_kept_by_a_copy_that_draws_from_it(drop: str) -> None:
    """The exchange of a table by its copy ends so, at its last statement."""
    assert "n.id needs it" in problems(f"{COPY} {drop};")[0]
    assert problems(f"{COPY} ALTER SEQUENCE t_id_seq OWNED BY n.id; {drop};") == []
    assert problems(f"CREATE TABLE n (LIKE t); {drop};") == []
    assert problems(f"{COPY} DROP TABLE n; {drop};") == []
    assert problems(f"{COPY} DROP TABLE t, n;") == []


def test_cascade_takes_the_default_away() -> None:
    schema = SCHEMA + COPY
    found = validate("DROP TABLE t CASCADE;", file="m.sql", catalog=build(schema, version=18)[0])

    assert said_locks(found) == {"t": "AccessExclusive", "n": "AccessExclusive"}
