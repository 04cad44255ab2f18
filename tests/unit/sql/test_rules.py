"""Every rule by its own examples, and what is true of all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.new_rule import registered
from shared.domain.kinds import Kind
from shared.sql import rules
from shared.sql.analysis import analyse, build
from shared.sql.parse import read
from shared.sql.rule_pages import index_page, page
from shared.sql.rules import RULES
from shared.sql.validate import validate

ALL = [rule for rule, _ in RULES]
BAD = [(rule, sql) for rule in ALL for sql in rule.bad]
GOOD = [(rule, sql) for rule in ALL for sql in rule.good]
PAGES = Path(__file__).parents[3] / "docs" / "rules"


def report(rule, sql):
    catalog, unread = build(rule.given, version=18)
    assert not unread
    return validate(sql, file="m.sql", catalog=catalog)


def named(pairs):
    return [pytest.param(rule, sql, id=f"{rule.id}: {sql[:50]}") for rule, sql in pairs]


@pytest.mark.parametrize(("rule", "sql"), named(BAD))
def test_a_bad_example_is_found(rule, sql):
    found = report(rule, sql)
    assert rule.id in {warning.rule for warning in found.warnings}
    assert any(rule.id in operation.rules for operation in found.operations)
    assert not found.errors


@pytest.mark.parametrize(("rule", "sql"), named([*BAD, *GOOD]))
def test_a_rule_is_spared_only_where_it_finds_nothing(rule, sql):
    """What a rule says of where it looks is true of every rule on every example."""
    catalog, _ = build(rule.given, version=18)
    for step in analyse(read(sql), version=18, catalog=catalog).steps:
        told = {each.id for each, _ in rules.findings(step)}
        for each, check in RULES:
            if each.stands_out and any(check(step, o) for o in step.operations):
                assert each.id in told


@pytest.mark.parametrize(("rule", "sql"), named(GOOD))
def test_a_good_example_is_not_found(rule, sql):
    found = report(rule, sql)
    assert rule.id not in {warning.rule for warning in found.warnings}
    assert not found.errors


@pytest.mark.parametrize(("rule", "sql"), named(BAD))
def test_a_rewrite_is_valid_and_safe(rule, sql):
    for warning in report(rule, sql).warnings:
        if warning.rule == rule.id and warning.rewrite:
            again = report(rule, warning.rewrite)
            assert not again.errors
            assert again.migration_type is Kind.SAFE
            assert rule.id not in {each.rule for each in again.warnings}


def test_a_rule_is_called_as_its_file():
    for rule in ALL:
        assert hasattr(rules, rule.id.replace("-", "_"))
    assert len({rule.id for rule in ALL}) == len(ALL)


def test_a_rule_says_all_there_is_to_say():
    for rule in ALL:
        assert rule.effect.endswith(".")
        assert rule.remedy.endswith(".")
        assert rule.source
        assert rule.bad
        assert rule.good


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_the_page_of_a_rule_is_up_to_date(rule):
    found = (PAGES / f"{rule.id}.md").read_text(encoding="utf-8")
    assert found == page(rule), "run `make rule-pages`"


def test_the_index_of_the_pages_is_up_to_date():
    found = (PAGES / "README.md").read_text(encoding="utf-8")
    assert found == index_page(ALL), "run `make rule-pages`"


def test_an_allowed_finding_carries_the_reason():
    rule = next(rule for rule in ALL if rule.id == "drop-table")
    sql = f"-- bluegreen: allow drop-table unused since May\n{rule.bad[0]}"
    (warning,) = [w for w in report(rule, sql).warnings if w.rule == "drop-table"]
    assert warning.allowed == "unused since May"


def test_allowing_a_rule_that_is_none_is_an_error():
    (error,) = validate("-- bluegreen: allow nonsense because\nSELECT 1", file="f").errors
    assert (error.kind, error.line) == ("directive", 1)


def test_a_new_rule_is_put_in_its_place_in_both_lists():
    text = (Path(rules.__file__)).read_text(encoding="utf-8")
    for module in ("aaa", "middle_rule", "zzz"):
        made = registered(text, module)
        assert made.count(f"    {module},\n") == 1
        assert made.count(f"    ({module}.RULE, {module}.check),\n") == 1
        compile(made, "registry", "exec")


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT 1 FROM t WHERE \u0430a = 1", 1),
        ("SELECT '\u0430a' /* \u0430a */ FROM t -- \u0430a", 0),
        ("DO $$ BEGIN RAISE NOTICE '\u0430a'; END $$", 0),
        ("CREATE TABLE t (\u03b1\u03b2 int, na\u00efve int, \u540d_id int)", 0),
        ('ALTER TABLE "t\u202e" ADD COLUMN a int', 1),
    ],
)
def test_a_name_of_two_alphabets_is_found_where_it_is_a_name(sql, found):
    warnings = validate(sql, file="f").warnings
    assert [w.rule for w in warnings].count("look-alike-name") == found
