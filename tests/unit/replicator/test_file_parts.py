"""A file is one transaction on green unless PostgreSQL, or its author, wants more."""

from __future__ import annotations

import pytest

from shared.mapping.model import Mapping
from shared.mapping.statements import runs_alone
from shared.sql.parse import statements
from workers.replicator.file_parts import FILE, file_parts, what_runs_now

NOTHING = Mapping(tables=[])


def names(sql: str) -> list[str]:
    return [each.part.name for each in file_parts(sql, "app", NOTHING)]


def test_an_ordinary_file_is_one_part_in_its_own_words() -> None:
    sql = "ALTER TABLE t ADD a int;  -- why\nDROP TABLE u"
    (only,) = file_parts(sql, "app", NOTHING)
    assert (only.part.name, only.part.text, only.alone) == (FILE, sql, None)
    assert only.part.after


def test_what_runs_in_no_block_stands_between_the_stretches_with_the_settings_so_far() -> None:
    sql = (
        "SET search_path = s; ALTER TABLE t ADD a int; CREATE INDEX CONCURRENTLY i ON t (a);"
        " SET timezone = 'UTC'; DROP TABLE u"
    )
    parts = file_parts(sql, "app", NOTHING)
    assert names(sql) == ["landing", "statement 1", "statement 3", "statement 4", FILE]
    assert parts[1].part.text == "SET search_path = s; ALTER TABLE t ADD a int"
    assert parts[2].alone is not None
    assert parts[2].part.before == ("SET search_path = s",)
    assert parts[3].part.before == ("SET search_path = s",)
    assert sql.encode()[parts[3].part.start :].startswith(b"SET timezone")
    assert (parts[4].part.text, bool(parts[4].part.after)) == ("", True)


def test_by_its_authors_wish_each_statement_is_a_part() -> None:
    sql = "-- bluegreen: no-transaction\nALTER TYPE m ADD VALUE 'x'; UPDATE t SET v = 'x'"
    assert names(sql) == ["landing", "statement 1", "statement 2", FILE]


def test_its_own_block_and_what_waits_for_the_pause_are_blank_and_every_place_stays() -> None:
    sql = "BEGIN;\nALTER TABLE é ADD a int;\n-- bluegreen: at-cutover\nDELETE\nFROM é;\nCOMMIT;"
    text = what_runs_now(sql)
    assert len(text) >= len(sql)
    assert text.count("\n") == sql.count("\n")
    assert "BEGIN" not in text
    assert "DELETE" not in text
    assert "COMMIT" not in text
    assert text.encode().index(b"ALTER") == sql.encode().index(b"ALTER")


@pytest.mark.parametrize(
    ("sql", "alone"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (a)", True),
        ("CREATE INDEX i ON t (a)", False),
        ("DROP INDEX CONCURRENTLY i", True),
        ("REINDEX (CONCURRENTLY) TABLE t", True),
        ("REINDEX TABLE CONCURRENTLY t", True),
        ("REINDEX TABLE t", False),
        ("REINDEX SCHEMA s", True),
        ("VACUUM t", True),
        ("ANALYZE t", False),
        ("ALTER TABLE t ADD a int", False),
    ],
)
def test_statements_that_run_in_no_block_are_known(sql: str, alone: bool) -> None:
    assert runs_alone(statements(sql)[0]) is alone
