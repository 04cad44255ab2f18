"""The job's own schema on both sides: marker, lost values, and which names are in force."""

from __future__ import annotations

from importlib import resources

from shared.domain.identifiers import ident
from shared.domain.objects import AGENT_ROLES, JOB, OWNER_ROLE

READERS = ("validator", "backup", "proxy-agent", "health-monitor")
MARKER_WRITERS = ("validator", "proxy-agent", "health-monitor")


def create_job_schema() -> list[str]:
    """Statements that make it; may be repeated. They need a superuser (the replicator)."""
    text = resources.files(__package__).joinpath("job_schema.sql").read_text(encoding="utf-8")
    owner = ident(OWNER_ROLE)
    statements = [text, f"ALTER SCHEMA {ident(JOB)} OWNER TO {owner}"]
    for table in ("marker", "lost", "names"):
        relation = ident(JOB, table)
        statements.append(f"ALTER TABLE {relation} OWNER TO {owner}")
        statements.append(f"GRANT SELECT ON {relation} TO {_roles(READERS)}")
    statements.append(
        f"GRANT INSERT, UPDATE, DELETE ON {ident(JOB, 'marker')} TO {_roles(MARKER_WRITERS)}"
    )
    lose = f"{ident(JOB, 'lose')}(text, text, text, text)"
    statements.append(f"ALTER FUNCTION {lose} OWNER TO {owner}")
    return statements


def drop_job_schema() -> list[str]:
    """Statements that remove it with everything in it. What uses its functions must be gone."""
    return [f"DROP SCHEMA IF EXISTS {ident(JOB)} CASCADE"]


def _roles(agents: tuple[str, ...]) -> str:
    return ", ".join(ident(AGENT_ROLES[agent]) for agent in agents)
