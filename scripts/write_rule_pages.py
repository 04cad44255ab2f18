"""Write docs/rules from shared/sql/rules: `make rule-pages`."""

from __future__ import annotations

from pathlib import Path

from shared.sql.rule_pages import index_page, page
from shared.sql.rules import RULES

PAGES = Path(__file__).parent.parent / "docs" / "rules"


def main() -> None:
    rules = [rule for rule, _ in RULES]
    PAGES.mkdir(parents=True, exist_ok=True)
    for old in PAGES.glob("*.md"):
        old.unlink()
    for rule in rules:
        (PAGES / f"{rule.id}.md").write_text(page(rule), encoding="utf-8")
    (PAGES / "README.md").write_text(index_page(rules), encoding="utf-8")


if __name__ == "__main__":
    main()
