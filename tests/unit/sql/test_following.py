"""A file that is followed a few statements at a time is read as one that is read at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sql import grammar, parse
from shared.sql.forbidden_names import Suspects, is_suspect
from shared.sql.parse import KEPT, opened, read
from shared.sql.source import Source

PIECES = (
    "SELECT 1;\n",
    "SELECT ';\n';\n",
    "/* ;\n /* ;\n */ */ SELECT 2;\n",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC\nSELECT 1;\nSELECT 2;\nEND;\n",
    "DO $a$ BEGIN\nPERFORM 1;\nEND; $a$;\r\n",
    "CREATE RULE r AS ON DELETE TO t DO (\nDELETE FROM a;\nDELETE FROM b;\n);\n",
    'SELECT "é;\n" FROM "ü"; -- ;\n',
    "SELECT E'\\';\n' ; ; SELECT 3;\n",
    "BEGIN;\n",
    "-- nothing;\n",
    ";\n",
)
BAD = ("SELEC 1;\n", "SELECT 'open;\n", "\\set x\n", "/* open;\n")


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(parse, "CHUNK_BYTES", 1)


def whole(sql: str) -> list[tuple[str, str, dict]]:
    """Tag, text and tree of each statement, by the grammar in one go."""
    data = sql.encode()
    found = []
    for raw in grammar.parse(data):
        start = raw.get("stmt_location", 0)
        text = data[start : start + (raw.get("stmt_len") or len(data) - start)]
        ((tag, node),) = raw["stmt"].items()
        found.append((tag, text.decode().rstrip(), unplaced(node)))
    return found


def unplaced(tree):
    """A tree without its locations, which count from where its chunk begins."""
    if isinstance(tree, dict):
        return {k: unplaced(v) for k, v in tree.items() if not k.endswith(("location", "len"))}
    return [unplaced(each) for each in tree] if isinstance(tree, list) else tree


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_chunks_hold_the_statements_of_the_whole(pieces):
    sql = "".join(pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parse, "CHUNK_BYTES", 1)
        reading = read(sql)
    assert not reading.problems
    assert [(s.tag, s.text, unplaced(s.node)) for s in reading.statements] == whole(sql)
    assert [s.index for s in reading.statements] == list(range(len(reading.statements)))
    for statement in reading.statements:
        assert sql.encode()[statement.start :].decode().startswith(statement.text)


@given(st.lists(st.sampled_from(PIECES + BAD), max_size=8))
def test_what_cannot_be_read_is_the_same_in_chunks_and_at_once(pieces):
    sql = "".join(pieces)
    at_once = read(sql)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parse, "CHUNK_BYTES", 1)
        followed = opened(sql)
        statements = list(followed.follow())
    assert [(s.text, s.place) for s in statements] == [
        (s.text, s.place) for s in at_once.statements
    ]
    assert followed.problems == at_once.problems


def test_a_location_of_a_later_chunk_is_a_place_of_the_file(small_chunks):
    sql = "SELECT 1;\n\n-- é\nSELECT  nope();\n"
    _, second = read(sql).statements
    at = second.node["targetList"][0]["ResTarget"]["val"]["FuncCall"]["location"]
    assert str(Source(sql).place(second.origin + at)) == "4:9"


def test_trees_of_a_long_file_are_gone_behind_its_reader(small_chunks):
    reading = opened("BEGIN;\n" + "SELECT 1;\n" * KEPT + "COMMIT;\nSELECT 2;\n")
    for number, statement in enumerate(reading.follow()):
        assert statement.node, number
    assert [s.index for s in reading.statements if s.node] == [0, KEPT + 1]
    assert len(reading.statements) == KEPT + 3


def test_trees_of_a_short_file_and_of_one_with_directives_stay(small_chunks):
    for sql in ("SELECT 1;\n" * KEPT, "-- bluegreen: no-transaction\n" + "SELECT 1;\n" * KEPT * 2):
        reading = opened(sql)
        assert all(s.node for s in list(reading.follow()))
        assert all(s.node for s in reading.statements)


@given(st.lists(st.sampled_from(["a", "é", "pg_", "role", "\\", "; ", "bg_", "ROLE", "\n"])))
def test_a_statement_is_suspect_in_its_file_as_alone(words):
    sql = f"SELECT '{''.join(w for w in words if w != '; ')}'; SELECT 1; SELECT 'role'; " * 2
    reading = read(sql)
    suspects = Suspects(reading.source)
    for each in reading.statements:
        assert suspects.holds(each.start, each.text) == is_suspect(each.text), each.text
