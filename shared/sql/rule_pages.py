"""The manual pages of the rules, from the rules themselves."""

from __future__ import annotations

from collections.abc import Sequence

from shared.sql.rules.rule import Rule


def page(rule: Rule) -> str:
    """docs/rules/ID.md"""
    lock = rule.lock.words if rule.lock is not None else "none"
    return "\n".join(
        [
            f"# {rule.id}",
            "",
            rule.effect,
            "",
            f"- Risk: {rule.risk}",
            f"- Lock: {lock}",
            f"- Remedy: {rule.remedy}",
            f"- Source: {rule.source}",
            f"- Accept it: `-- bluegreen: allow {rule.id} REASON`",
            "",
            "Found, over this schema:",
            "",
            *_sql(rule.given),
            "",
            *_examples(rule.bad),
            "Not found:",
            "",
            *_examples(rule.good),
        ]
    )


def index_page(rules: Sequence[Rule]) -> str:
    """docs/rules/README.md"""
    lines = [f"| [{rule.id}]({rule.id}.md) | {rule.risk} | {rule.effect} |" for rule in rules]
    head = ["# Rules", "", "Written by `make rule-pages` from `shared/sql/rules`.", ""]
    return "\n".join([*head, "| rule | risk | effect |", "|---|---|---|", *lines, ""])


def _examples(examples: Sequence[str]) -> list[str]:
    return [line for example in examples for line in (*_sql(example), "")]


def _sql(text: str) -> list[str]:
    return ["```sql", text.strip(), "```"]
