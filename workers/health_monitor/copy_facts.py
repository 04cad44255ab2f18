"""What preflight asks of both servers where green will be copied: rights, and room to copy into.

Source: PostgreSQL manual, "Logical Replication: Security", "CREATE SUBSCRIPTION", "pg_dump".
"""

from __future__ import annotations

from shared.adapters.named_queries import named_queries
from shared.domain.migration import Job
from shared.domain.objects import REPLICATION_ROLES
from shared.ports import Node
from workers.health_monitor.snapshot import CopyFacts

_SQL = named_queries(__file__, "rights.sql")
LIMIT_S = 10.0


def read_copy_facts(node: Node, job: Job) -> CopyFacts:
    """Raises Transient when the server cannot be reached, Broken when it is another one."""
    with node.session(limit_s=LIMIT_S) as session:
        if not session.value(_SQL["target"]):
            return CopyFacts(is_prepared=False)
        contents: list[str] = []
        may_be_emptied = False
        if node.colour is job.target:
            row = session.row(_SQL["contents"], [job.id])
            assert row is not None, "a SELECT without FROM has a row"
            contents, may_be_emptied = row
        reader = REPLICATION_ROLES[node.colour.value]
        return CopyFacts(
            missing=tuple((what, how) for what, how in session.rows(_SQL["missing"], [reader])),
            contents=tuple(contents),
            may_be_emptied=may_be_emptied,
            locale=str(session.value(_SQL["locale"])),
            event_triggers=tuple(name for (name,) in session.rows(_SQL["event_triggers"])),
            is_superuser=bool(session.value(_SQL["is_superuser"])),
        )
