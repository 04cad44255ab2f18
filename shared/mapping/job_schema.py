"""What a mapping adds to the job's own schema: lost values, and which names are in force."""

from __future__ import annotations

from importlib import resources

from shared.domain.identifiers import ident
from shared.domain.objects import AGENT_ROLES, JOB, OWNER_ROLE

READERS = ("validator", "backup", "proxy-agent", "health-monitor")


def create_job_schema() -> list[str]:
    """Statements that make it; may be repeated. Whoever runs them acts for its owner."""
    text = resources.files(__package__).joinpath("job_schema.sql").read_text(encoding="utf-8")
    owner = ident(OWNER_ROLE)
    readers = ", ".join(ident(AGENT_ROLES[agent]) for agent in READERS)
    statements = [text, f"GRANT ALL ON SCHEMA {ident(JOB)} TO {owner}"]
    for table in ("lost", "names"):
        relation = ident(JOB, table)
        statements.append(f"ALTER TABLE {relation} OWNER TO {owner}")
        statements.append(f"GRANT SELECT ON {relation} TO {readers}")
    lose, mark = ident(JOB, "lose"), ident(JOB, "mark")
    return [
        *statements,
        f"ALTER FUNCTION {lose}(text, text, text, text) OWNER TO {owner}",
        f"ALTER FUNCTION {mark}(text) OWNER TO {owner}",
        f"REVOKE ALL ON FUNCTION {mark}(text) FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION {mark}(text) TO {readers}",
    ]


def drop_job_schema() -> list[str]:
    """Statements that remove it with everything in it. What uses its functions must be gone."""
    return [f"DROP SCHEMA IF EXISTS {ident(JOB)} CASCADE"]
