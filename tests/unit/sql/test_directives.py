"""Directives: what is understood, and what is refused with its place."""

from __future__ import annotations

import pytest

from shared.sql.directives import (
    Allow,
    AtCutover,
    Batch,
    Directives,
    Down,
    NoTransaction,
    directives,
)
from shared.sql.source import Place

GOOD = """-- bluegreen: no-transaction
-- bluegreen: down products.price = round(price * 100)
--bluegreen: down app."Team Members"."Role" = lower("Role")
-- bluegreen: allow drop-column unused since May
ALTER TABLE t DROP COLUMN c;
-- bluegreen: batch table=t key=id size=5000
UPDATE t SET a = 1;
-- bluegreen: at-cutover
DELETE FROM u;
"""


def test_every_directive_is_understood():
    found = directives(GOOD)
    assert not found.problems
    assert found.all == (
        NoTransaction(Place(1, 1)),
        Down(Place(2, 1), None, "products", "price", "round(price * 100)"),
        Down(Place(3, 1), "app", "Team Members", "Role", 'lower("Role")'),
        Allow(Place(4, 1), "drop-column", "unused since May", 0),
        Batch(Place(6, 1), 1, "t", "id", 5000),
        AtCutover(Place(8, 1), 2),
    )
    assert found.no_transaction
    assert found.at_cutover == {2}
    assert found.batches[1].size == 5000


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("frobnicate", "expected one of no-transaction"),
        ("no-transaction please", "takes nothing"),
        ("down price = 1", "TABLE.COLUMN"),
        ("down t.price", "TABLE.COLUMN"),
        ("down t.price = 1 +", "syntax error"),
        ("down t.price = 1, 2", "one expression"),
        ("down t.price = 1); DROP TABLE t; SELECT (1", "syntax error"),
        ("down t.price = 1; DROP TABLE t", "one expression"),
        ("down t.price = 1 FROM u", "one expression"),
        ("allow", "allow RULE REASON"),
        ("allow drop-column", "needs a reason"),
        ("batch table=t key=id size=10", "before an UPDATE or DELETE"),
        ("at-cutover", "none follows"),
    ],
)
def test_a_bad_directive_is_a_problem_with_its_place(line, message):
    (problem,) = directives(f"SELECT 1;\n  -- bluegreen: {line}\n").problems
    assert message in problem.message
    assert problem.place == Place(2, 3)


@pytest.mark.parametrize("size", ["0", "-1", "many", "2000000"])
def test_a_batch_has_a_size_that_can_be(size):
    sql = f"-- bluegreen: batch table=t key=k size={size}\nDELETE FROM t"
    (problem,) = directives(sql).problems
    assert "size" in problem.message


def test_a_directive_behind_a_statement_is_a_problem():
    found = directives("SELECT 1; -- bluegreen: no-transaction\nSELECT 2;--bluegreen: at-cutover")
    assert found.all == ()
    assert [(p.place.line, p.place.column) for p in found.problems] == [(1, 11), (2, 10)]
    assert "on a line of its own" in found.problems[0].message


def test_a_semicolon_in_a_comment_or_a_string_ends_no_statement():
    text = "-- so; -- bluegreen: at-cutover\nSELECT '; -- bluegreen: at-cutover';\n"
    assert directives(text) == Directives((), ())


def test_text_inside_a_statement_is_no_directive():
    assert not directives("DO $$\n-- bluegreen: no-transaction\nBEGIN END $$").all
