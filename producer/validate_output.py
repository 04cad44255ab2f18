"""Reports of validated files, in each form that is asked for: for people and for programs.

Every form is made from the same reports; a finding has its file, line and column in each.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import orjson

from producer.marks import Mark, Validated, marks
from producer.validate_text import text
from shared.sql.rules import RULES

Format = Literal["text", "json", "sarif", "github", "markdown"]
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(form: Format, files: Sequence[Validated], *, colour: bool = False) -> str:
    """The text to print, without a newline at its end."""
    if form == "json":
        bodies = [each.document for each in files]
        return _json(bodies[0] if len(bodies) == 1 else bodies)
    if form == "sarif":
        return _json(_sarif(files))
    if form == "github":
        return "\n".join(_github(files))
    if form == "markdown":
        return "\n".join(_markdown(files))
    return "\n".join(line for each in files for line in text(each, colour=colour))


def _json(body: object) -> str:
    """Indented, for people; a text with half a surrogate pair only the standard library writes."""
    try:
        return orjson.dumps(body, option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONEncodeError:
        return json.dumps(body, indent=2, ensure_ascii=False)


def _sarif(files: Sequence[Validated]) -> dict[str, Any]:
    used = {mark.rule for each in files for mark in marks(each.report)}
    rules = [_sarif_rule(id_) for id_ in sorted(used)]
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    results = [
        _sarif_result(each, mark, index[mark.rule]) for each in files for mark in marks(each.report)
    ]
    driver = {"name": "bluegreen validate", "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _sarif_rule(id_: str) -> dict[str, Any]:
    known = next((rule for rule, _ in RULES if rule.id == id_), None)
    if known is None:
        return {"id": id_, "shortDescription": {"text": _described(id_)}}
    return {
        "id": id_,
        "shortDescription": {"text": known.effect},
        "help": {"text": f"{known.remedy} Source: {known.source}."},
    }


def _described(id_: str) -> str:
    """Of what is no rule: errors, and findings of a trace."""
    if id_.startswith("error-"):
        return f"The file cannot run: {id_.removeprefix('error-')}."
    if id_ == "not-carried":
        return "A risky migration cannot keep the statement in sync."
    return "A server did something else than was said beforehand."


def _sarif_result(each: Validated, mark: Mark, index: int) -> dict[str, Any]:
    place = {
        "physicalLocation": {
            "artifactLocation": {"uri": each.report.file},
            "region": {"startLine": mark.line, "startColumn": mark.column},
        }
    }
    result: dict[str, Any] = {
        "ruleId": mark.rule,
        "ruleIndex": index,
        "level": mark.level,
        "message": {"text": _sentence(mark)},
        "locations": [place],
    }
    if mark.allowed:
        result["suppressions"] = [{"kind": "inSource", "justification": mark.allowed}]
    return result


def _sentence(mark: Mark) -> str:
    return f"{mark.message}. {mark.remedy}".strip() if mark.remedy else mark.message


_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def _github(files: Sequence[Validated]) -> Iterator[str]:
    """Workflow commands, escaped as GitHub reads them."""
    for each in files:
        for mark in marks(each.report):
            where = f"file={_property(each.report.file)},line={mark.line},col={mark.column}"
            title = f"title={_property(mark.rule)}"
            yield f"::{_COMMANDS[mark.level]} {where},{title}::{_data(_sentence(mark))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _markdown(files: Sequence[Validated]) -> Iterator[str]:
    """A comment for a pull request."""
    for each in files:
        report = each.report
        verdict = "valid" if report.is_valid else "**refused**"
        yield f"### `{report.file}`: {verdict}, {report.migration_type}, risk {report.risk_level}"
        yield ""
        found = marks(report)
        if found:
            yield "| line | | what | what to do |"
            yield "|---|---|---|---|"
        for mark in found:
            what = f"{mark.message} (`{mark.rule}`)"
            todo = f"accepted: {mark.allowed}" if mark.allowed else mark.remedy
            yield f"| {mark.line} | {mark.level} | {_cell(what)} | {_cell(todo)} |"
        for mark in found:
            if mark.rewrite and not mark.allowed:
                yield ""
                yield f"Instead of line {mark.line}:"
                yield ""
                yield f"```sql\n{mark.rewrite}\n```"
        for unseen in report.not_seen:
            yield ""
            yield f"Not seen: {unseen}."
        yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
