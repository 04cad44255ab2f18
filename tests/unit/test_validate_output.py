"""The forms of a report: each says the same findings, each is well formed in its own way."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from producer.marks import Validated
from producer.validate_output import render
from shared.sql.analysis import build
from shared.sql.validate import validate

SCHEMA = "CREATE TABLE users (id int PRIMARY KEY, é text);"
SQL = (
    "-- bluegreen: allow drop-column unused: 100%\n"
    "ALTER TABLE users DROP COLUMN é;\n"
    "CREATE INDEX i ON users (id);\n"
    "\tALTER TABLE nope ADD a int;"
)


def validated(sql=SQL, file="dir/a,b.sql"):
    report = validate(sql, file=file, catalog=build(SCHEMA, version=18)[0])
    return Validated(report, sql, report.as_json())


def test_text_has_the_line_a_caret_and_the_rewrite():
    lines = render("text", [validated()]).splitlines()
    at = lines.index('dir/a,b.sql:4:14: error: relation "nope" does not exist [error-catalog]')
    assert lines[at + 1] == "     ALTER TABLE nope ADD a int;"
    assert lines[at + 2].index("^") == lines[at + 1].index("nope")
    assert "        CREATE INDEX CONCURRENTLY i ON users (id);" in lines
    assert "    accepted: unused: 100%" in lines
    assert lines[-2] != ""


def test_colour_is_only_there_when_asked_for():
    assert "\x1b[" not in render("text", [validated()])
    assert "\x1b[31merror\x1b[0m" in render("text", [validated()], colour=True)


def test_json_of_one_file_is_the_report_and_of_several_a_list():
    one = json.loads(render("json", [validated()]))
    assert one == validated().report.as_json()
    assert json.loads(render("json", [validated(), validated()])) == [one, one]


SARIF = Path(__file__).parents[1] / "data" / "sarif" / "sarif-2.1.0.json"


@pytest.mark.parametrize("sql", [SQL, "SELECT 1", "ALTER TABEL x", "DROP TABLE users\x00"])
def test_sarif_is_valid_against_its_schema(sql):
    schema = json.loads(SARIF.read_text(encoding="utf-8"))
    body = json.loads(render("sarif", [validated(sql), validated(SQL, "other.sql")]))
    jsonschema.Draft4Validator(schema).validate(body)
    body["runs"][0]["results"][0]["level"] = "dreadful"
    assert not jsonschema.Draft4Validator(schema).is_valid(body)


def test_sarif_names_its_rules_and_places():
    body = json.loads(render("sarif", [validated()]))
    assert body["version"] == "2.1.0"
    (run,) = body["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region["startColumn"] >= 1
    (allowed,) = [r for r in run["results"] if r["ruleId"] == "drop-column"]
    assert allowed["suppressions"] == [{"kind": "inSource", "justification": "unused: 100%"}]


def test_github_commands_are_escaped():
    lines = render("github", [validated()]).splitlines()
    (error,) = [line for line in lines if line.startswith("::error")]
    assert error.startswith("::error file=dir/a%2Cb.sql,line=4,col=14,title=error-catalog::")
    assert all(line.startswith("::") for line in lines)


def test_markdown_has_a_row_for_each_finding():
    found = render("markdown", [validated()])
    assert "**refused**" in found
    assert "| 4 | error | relation" in found
    assert "```sql\nCREATE INDEX CONCURRENTLY i ON users (id);\n```" in found


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github", "markdown"])
def test_a_file_without_findings_has_a_form_too(form):
    render(form, [validated("SELECT 1"), validated("")])
