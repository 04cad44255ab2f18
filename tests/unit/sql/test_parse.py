"""Reading a file: places are what people count, and one bad statement does not hide the others."""

from __future__ import annotations

import pytest

from shared.domain.errors import Refused
from shared.sql.parse import read, statements


def places(sql: str) -> list[tuple[str, str]]:
    return [(str(s.place), s.tag) for s in read(sql).statements]


def problems(sql: str) -> list[tuple[str, str]]:
    return [(str(p.place), p.message) for p in read(sql).problems]


def test_places_count_characters_not_bytes_and_not_the_byte_order_mark():
    sql = "\ufeffCOMMENT ON TABLE é IS 'ü'; SELECT 1;\r\n\t-- ö\r\n  SELECT 2"
    assert places(sql) == [("1:1", "CommentStmt"), ("1:28", "SelectStmt"), ("3:3", "SelectStmt")]


def test_the_text_of_a_statement_is_as_written():
    sql = "-- before\n/* and */ DROP  TABLE /* inside */ a ;\n;;\nDROP TABLE b -- after"
    assert [s.text for s in statements(sql)] == [
        "DROP  TABLE /* inside */ a",
        "DROP TABLE b -- after",
    ]


def test_a_bad_statement_does_not_hide_the_others():
    sql = "SELECT 1;\nSELEC 2;\nCREATE TABLE t (a int);\nALTER TABLET t;\nSELECT 'é' FROM t x y"
    assert [place for place, _ in places(sql)] == ["1:1", "3:1"]
    assert problems(sql) == [
        ("2:1", 'syntax error at or near "SELEC"'),
        ("4:7", 'syntax error at or near "TABLET"'),
        ("5:21", 'syntax error at or near "y"'),
    ]


def test_semicolons_inside_bodies_strings_and_comments_do_not_cut():
    sql = (
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC\n"
        "  SELECT CASE WHEN true THEN 1 END; SELECT 2; END;\n"
        "DO $body$ BEGIN PERFORM ';'; END $body$;\n"
        "/* a; /* b; */ c; */ SELECT E'\\'; ', U&'d\\0061;', \"q;\";\n"
        "BROKEN;"
    )
    assert [tag for _, tag in places(sql)] == ["CreateFunctionStmt", "DoStmt", "SelectStmt"]
    assert problems(sql) == [("5:1", 'syntax error at or near "BROKEN"')]


def test_psql_commands_and_copy_rows_are_named():
    sql = "\\set ON_ERROR_STOP on\nCOPY t FROM stdin;\n1\ta;b\n\\.\nSELECT 1;"
    assert [tag for _, tag in places(sql)] == ["CopyStmt", "SelectStmt"]
    (first, set_), (second, rows) = problems(sql)
    assert (first, second) == ("1:1", "3:1")
    assert set_ == "\\set is a command of psql, not SQL"
    assert rows.startswith("rows behind COPY FROM stdin")


@pytest.mark.parametrize("sql", ["", "   \n", "-- only a comment", ";;\n;", "\ufeff"])
def test_a_file_without_statements_has_none_and_no_problem(sql):
    assert (read(sql).statements, read(sql).problems) == ([], [])


def test_a_zero_byte_is_a_problem_with_its_place():
    assert problems("SELECT 1;\nSEL\x00ECT 2")[0][0] == "2:4"


def test_an_unclosed_quote_is_named_where_it_opens():
    assert problems("SELECT 1;\nSELECT 'never;\nSELECT 2;\n")[0][0] == "2:8"
    assert problems("SELECT 1; /* never")[0][0] == "1:11"
    assert problems("DO $$ BEGIN")[0][0] == "1:4"


def test_nesting_beyond_reason_is_a_problem_and_never_a_crash():
    for sql in ("SELECT " + "1+" * 5000 + "1", "SELECT " + "(" * 50_000):
        assert len(problems(sql)) == 1


def test_a_statement_of_many_megabytes_is_refused_unread():
    sql = "SELECT 1; INSERT INTO t VALUES ('" + "x" * 5_000_000 + "'); SELECT 2"
    assert [tag for _, tag in places(sql)] == ["SelectStmt", "SelectStmt"]
    assert "5,000,025 bytes" in problems(sql)[0][1]


def test_many_statements_are_read_in_batches_with_right_places():
    sql = "ALTER TABLE t ADD COLUMN a int;\n" * 5000
    found = read(sql).statements
    assert [s.line for s in found] == list(range(1, 5001))
    assert all(s.text == "ALTER TABLE t ADD COLUMN a int" for s in found)
    inner = found[4000].node["relation"]["location"] + found[4000].origin
    assert read(sql).source.place(inner).column == 13


def test_those_who_want_all_statements_are_refused_with_the_place():
    with pytest.raises(Refused, match="2:1: syntax error"):
        statements("SELECT 1;\nSELEC 2")
