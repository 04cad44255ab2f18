"""Whatever a file holds, it is answered: places inside the file, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.mapping.readiness import readiness
from shared.sql.analysis import build
from shared.sql.parse import read
from shared.sql.validate import validate
from tests.support.validator_cases import DATA

STATEMENTS = Path(__file__).parents[2] / "data" / "statements"
ROWS = [json.loads(line) for line in (DATA / "cases.jsonl").read_text("utf-8").splitlines()]
TEXTS = [row["sql"] for row in ROWS] + [
    line for path in sorted(STATEMENTS.glob("*.sql")) for line in path.read_text().splitlines()
]
SETUPS = sorted({row["setup"] for row in ROWS})
MARKS = ("'", '"', "$$", "$x$", ";", "(", ")", "/*", "*/", "--", "\\", ",", ".", "*", "E'", "U&'")
BLANKS = ("\n", "\r\n", "\t", "\x00", "\ufeff", "\u00a0", "é")
WORDS = ("BEGIN", "COMMIT", "END", "ATOMIC", "CASCADE", "ONLY", "NULL", "NOT VALID", "public.")
NUMBERS = ("0", "1_000", "0xFF", "-- bluegreen: ")
PIECES = st.sampled_from((*MARKS, *BLANKS, *WORDS, *NUMBERS))


@st.composite
def mutated(draw):
    """A real file, with pieces taken out, put in, or joined with another's."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        text = text[:start] + draw(PIECES | st.text(max_size=3)) + text[end:]
    if draw(st.booleans()):
        text += draw(st.sampled_from([";\n", "\n", ""])) + draw(st.sampled_from(TEXTS))
    return text


def check(sql, catalog=None, version=18):
    report = validate(sql, file="f.sql", catalog=catalog, server_version=version)
    json.dumps(readiness(sql, catalog).as_json())
    source = read(sql).source
    for each in (*report.errors, *report.warnings, *report.operations):
        assert 1 <= each.line <= source.lines
        assert 1 <= each.column <= len(source.line(each.line)) + 2
    json.dumps(report.as_json())
    assert report.is_valid == (not report.errors)
    planned = [index for group in report.plan for index in group.statements]
    assert len(planned) == len(set(planned))


@settings(max_examples=150)
@given(mutated())
def test_a_damaged_file_is_answered_without_a_schema(sql):
    check(sql)


@settings(max_examples=150)
@given(mutated(), st.sampled_from(SETUPS), st.sampled_from([15, 16, 17, 18]))
def test_a_damaged_file_is_answered_over_a_schema(sql, setup, version):
    check(sql, build(setup, version=version)[0], version)


@settings(max_examples=60)
@given(mutated())
def test_a_damaged_schema_is_read_as_far_as_it_goes(sql):
    build(sql, version=18)


@settings(max_examples=60)
@given(st.text(max_size=200))
def test_any_text_is_answered(sql):
    check(sql)


@settings(max_examples=60)
@given(st.permutations(TEXTS[:40]))
def test_files_in_any_order_are_answered(texts):
    check(";\n".join(text.rstrip().rstrip(";") for text in texts[:12]), None)
