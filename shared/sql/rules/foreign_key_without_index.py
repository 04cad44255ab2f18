"""A foreign key is added whose columns no index begins with."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.names import quoted
from shared.sql.rules.rule import Finding, Rule, table
from shared.sql.step import Step

KINDS = ("ADD_FOREIGN_KEY", "ADD_FOREIGN_KEY_NOT_VALID")

RULE = Rule(
    id="foreign-key-without-index",
    types=KINDS,
    risk=Risk.MEDIUM,
    lock=Lock.SHARE_ROW_EXCLUSIVE,
    effect="Each DELETE or key change in the other table reads the whole of this one.",
    remedy="Create an index on the referencing columns, CONCURRENTLY, before.",
    source="PostgreSQL manual, Constraints, Foreign Keys",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
CREATE TABLE orgs (id int PRIMARY KEY);
INSERT INTO orgs SELECT generate_series(1, 50);
""",
    bad=("ALTER TABLE users ADD CONSTRAINT org_fk FOREIGN KEY (org) REFERENCES orgs NOT VALID",),
    good=(
        """
CREATE INDEX CONCURRENTLY users_org ON users (org);
ALTER TABLE users ADD CONSTRAINT org_fk FOREIGN KEY (org) REFERENCES orgs NOT VALID
        """,
    ),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if "foreign-key-without-index" in operation.notes:
        name, columns = table(operation), ", ".join(map(quoted, operation.columns))
        return Finding(
            operation,
            f"no index of {name} begins with ({columns})",
            f"CREATE INDEX CONCURRENTLY ON {name} ({columns});\n{step.statement.text};",
        )
    return None
