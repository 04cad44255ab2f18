"""`bluegreen validate --format json`: the contract, over the cases and over bad input."""

from __future__ import annotations

import json
from itertools import groupby

import pytest

from tests.support.command_line import CalledHere
from tests.support.validator_cases import ROLES, cases, report

KINDS = {"syntax", "transaction", "version", "extension", "catalog", "forbidden"}


@pytest.fixture
def bluegreen(tmp_path, monkeypatch, capsys):
    return CalledHere(tmp_path, patch=monkeypatch, capture=capsys)


@pytest.mark.parametrize("version", [15, 18])
def test_the_command_says_of_the_cases_what_the_library_says(bluegreen, version):
    mine = sorted((c for c in cases() if c.version == version), key=lambda c: (c.setup, c.id))
    asked = 0
    for schema, group in groupby(mine, key=lambda c: c.setup):
        bluegreen.write("schema.sql", ROLES + schema)
        together = list(group)
        names = [bluegreen.write(f"{c.id}.sql", c.sql) for c in together]
        answer = bluegreen(
            "validate", "--format", "json", "--server-version", str(version),
            "--schema", "schema.sql", *names,
        )  # fmt: skip
        body = answer.body if len(names) > 1 else [answer.body]
        assert [each["file"] for each in body] == names
        assert answer.code == (0 if all(each["isValid"] for each in body) else 3)
        for case, found in zip(together, body, strict=True):
            expected = report(case)
            assert [o["type"] for o in found["operations"]] == [o.type for o in expected.operations]
            assert found["locks"] == expected.locks
            assert {error["kind"] for error in found["errors"]} <= KINDS
            asked += 1
    assert asked > 270


LONG = "SELECT '" + "x" * 9_000_000 + "'"
BAD = {
    "empty": b"",
    "blanks": b" \n\t\r\n",
    "a zero byte": b"SELECT 1;\nSEL\x00ECT 2;",
    "latin-1": "CREATE TABLE é (a int)".encode("latin-1"),
    "utf-16": "SELECT 1".encode("utf-16"),
    "one statement of 9 MB": LONG.encode(),
    "an unclosed quote": b"SELECT 1;\nSELECT 'never;\n",
    "an unclosed comment": b"SELECT 1; /* never",
    "an unclosed dollar quote": b"DO $$ BEGIN",
    "an unclosed BEGIN": b"SELECT 1;\nBEGIN;\nSELECT 2;",
    "strings off": b"SET standard_conforming_strings = off; SELECT 'a\\'; DROP TABLE x; --'",
    "too big": b"SELECT 1;" + b" " * (11 * 1024 * 1024),
    "half a character": b"SELECT '\xc3",
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_bad_input_is_a_finding_with_its_place(bluegreen, content):
    name = bluegreen.write("bad.sql", content)
    answer = bluegreen("validate", "--format", "json", name)
    assert answer.code == 3
    assert "Traceback" not in answer.err
    (first, *_) = answer.body["errors"]
    assert first["message"]
    assert first["line"] >= 1
    assert first["column"] >= 1
    assert first["kind"] in KINDS


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfALTER TABLE t ADD COLUMN a int;",
        b"ALTER TABLE t ADD COLUMN a int;\r\nALTER TABLE t ADD COLUMN b int;\r\n",
        b"-- only a comment\n;\n",
        "ALTER TABLE оrders ADD COLUMN a int".encode(),  # the o is Cyrillic
    ],
)
def test_unusual_input_is_fine(bluegreen, content):
    answer = bluegreen("validate", "--format", "json", bluegreen.write("odd.sql", content))
    assert answer.code == 0
    assert answer.body["errors"] == []


def test_a_name_that_only_looks_like_a_tables_is_missing_at_its_place(bluegreen):
    bluegreen.write("schema.sql", "CREATE TABLE orders (id int);")
    name = bluegreen.write("f.sql", "SELECT 1;\nALTER TABLE оrders ADD COLUMN a int")
    (error,) = bluegreen("validate", "--schema", "schema.sql", "--format", "json", name).body[
        "errors"
    ]
    assert (error["kind"], error["line"], error["column"]) == ("catalog", 2, 13)


def test_an_empty_schema_is_an_empty_database(bluegreen):
    bluegreen.write("schema.sql", "")
    name = bluegreen.write("f.sql", "CREATE TABLE a (b int); DROP TABLE c;")
    answer = bluegreen("validate", "--schema", "schema.sql", "--format", "json", name)
    assert [error["kind"] for error in answer.body["errors"]] == ["catalog"]


def test_one_bad_file_does_not_hide_the_others(bluegreen):
    names = [bluegreen.write("a.sql", b""), bluegreen.write("b.sql", "SELECT 1")]
    answer = bluegreen("validate", "--format", "json", *names)
    assert answer.code == 3
    assert [each["isValid"] for each in json.loads(answer.out)] == [False, True]
