"""What does not belong into a migration is refused, however wrapped; ordinary files are not.

The files lie in tests/data: `hostile`, of which every one must be refused, and `benign`, of which
none may be.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.sql import forbidden_names as names
from shared.sql.validate import validate

DATA = Path(__file__).parents[2] / "data"
HOSTILE = sorted((DATA / "hostile").glob("*.sql"))
BENIGN = sorted((DATA / "benign").glob("*.sql"))
STATEMENTS = sorted((DATA / "statements").glob("*.sql"))


def forbidden(sql):
    return [error for error in validate(sql, file="f").errors if error.kind == "forbidden"]


@pytest.mark.parametrize("path", HOSTILE, ids=lambda path: path.stem)
def test_a_hostile_file_is_refused_with_its_place_and_a_remedy(path):
    sql = path.read_text(encoding="utf-8")
    found = forbidden(sql)
    assert found, sql
    lines = sql.splitlines()
    assert 1 <= found[0].line <= len(lines)
    assert 1 <= found[0].column <= len(lines[found[0].line - 1]) + 1
    assert found[0].remedy


@pytest.mark.parametrize("path", BENIGN, ids=lambda path: path.stem)
def test_an_ordinary_file_is_not_refused(path):
    sql = path.read_text(encoding="utf-8")
    assert not forbidden(sql), sql


def test_no_ordinary_statement_is_refused():
    lines = [line for path in STATEMENTS for line in path.read_text("utf-8").splitlines()]
    every = [line for line in lines if line and not line.startswith("--")]
    assert len(every) > 500
    for sql in every:
        assert not forbidden(sql), sql


def test_the_files_are_many():
    assert len(HOSTILE) > 300
    assert len(BENIGN) > 200


def test_a_place_inside_a_body_is_the_bodys_line():
    sql = "DO $$\nBEGIN\n  PERFORM 1;\n  LOAD 'x';\nEND $$"
    (error,) = forbidden(sql)
    assert (error.line, error.column) == (4, 3)


def test_every_forbidden_name_makes_a_text_suspect():
    every = names.FUNCTIONS | names.RUN_TEXT | set(names.SETTINGS)
    assert len(every) > 60
    for name in (*every, *names.OURS, "bg_x", 'U&"d"', "E'\\x'", "SESSION AUTHORIZATION"):
        assert names.is_suspect(name), name
