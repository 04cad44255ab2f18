"""A constraint is put on a domain that columns use."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.need import listed
from shared.sql.rules.rule import Finding, Rule
from shared.sql.step import Step

RULE = Rule(
    id="domain-constraint",
    in_use=False,
    types=("ALTER_DOMAIN*",),
    risk=Risk.MEDIUM,
    lock=Lock.SHARE,
    effect="Writers of every table with a column of the domain wait while all of them are scanned.",
    remedy="ALTER DOMAIN .. ADD CONSTRAINT .. NOT VALID; or a CHECK on the tables, NOT VALID.",
    source="PostgreSQL manual, ALTER DOMAIN; measured: SHARE on each table",
    given="""
CREATE DOMAIN short AS text;
CREATE TABLE pages (id int, title short);
INSERT INTO pages SELECT g, g FROM generate_series(1, 50) g;
""",
    bad=(
        "ALTER DOMAIN short ADD CONSTRAINT l CHECK (length(VALUE) < 90)",
        "ALTER DOMAIN short SET NOT NULL",
    ),
    good=("ALTER DOMAIN short ADD CONSTRAINT l CHECK (length(VALUE) < 90) NOT VALID",),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if operation.scans and operation.type.startswith("ALTER_DOMAIN"):
        return Finding(operation, f"writers of {listed(operation.scans)} wait for the scan")
    return None
