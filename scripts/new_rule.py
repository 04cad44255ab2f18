"""Begin a rule: its file with everything to fill in, and its place in the tuple.

    make new-rule NAME=my-rule

The rule's tests fail until its examples, effect, remedy and source are written.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

RULES = Path(__file__).parent.parent / "shared" / "sql" / "rules"
BODY = '''"""One sentence: what the file does."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.step import Step
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.rules.rule import Finding, Rule, table

RULE = Rule(
    id="{id}",
    types=("OPERATION_TYPE",),
    risk=Risk.MEDIUM,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="",
    remedy="",
    source="",
    given="""
CREATE TABLE users (id int PRIMARY KEY, email text);
INSERT INTO users SELECT g, g FROM generate_series(1, 50) g;
""",
    bad=(),
    good=(),
)


def check(step: Step, operation: Operation) -> Finding | None:
    return Finding(operation, f"{{table(operation)}}: what is wrong here")
'''


def main(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise SystemExit(f"expected a name such as my-rule, found {name!r}")
    module = name.replace("-", "_")
    path = RULES / f"{module}.py"
    if path.exists():
        raise SystemExit(f"{path.name} is there already")
    path.write_text(BODY.format(id=name), encoding="utf-8")
    registry = RULES / "__init__.py"
    text = registry.read_text(encoding="utf-8")
    registry.write_text(registered(text, module), encoding="utf-8")
    print(f"write {path.name}, then `make rule-pages check`")


def registered(text: str, module: str) -> str:
    """The registry with one more module, both lists in order."""
    text = _inserted(text, re.compile(r"^    (\w+),$", re.MULTILINE), f"    {module},", module)
    entry = re.compile(r"^    \((\w+)\.RULE, .*\),$", re.MULTILINE)
    return _inserted(text, entry, f"    ({module}.RULE, {module}.check),", module)


def _inserted(text: str, entry: re.Pattern[str], line: str, module: str) -> str:
    before = [match for match in entry.finditer(text) if match[1] < module]
    place = before[-1].end() + 1 if before else next(entry.finditer(text)).start()
    return f"{text[:place]}{line}\n{text[place:]}"


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) == 2 else "")
