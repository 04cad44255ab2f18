"""What ran on a server, and for how long, by pg_stat_statements; nothing where it is not there.

Its view stands in the server's own database and covers all of them. Ours do not count.
"""

from __future__ import annotations

from shared.domain.baseline import Statements
from shared.domain.errors import MigrationError
from shared.domain.objects import AGENT_ROLES, OWNER_ROLE, POOLER_ROLE, REPLICATION_ROLES
from shared.ports import Node

LIMIT_S = 5.0
OURS = [*AGENT_ROLES.values(), *REPLICATION_ROLES.values(), POOLER_ROLE, OWNER_ROLE, "postgres"]
_DEAREST = """
SELECT left(query, 300), sum(calls)::bigint, sum(total_exec_time)::float8
FROM pg_stat_statements AS s
JOIN pg_database AS d ON d.oid = s.dbid JOIN pg_roles AS r ON r.oid = s.userid
WHERE d.datname = %s AND r.rolname <> ALL (%s)
  AND query NOT LIKE '%%bluegreen.probe%%'
GROUP BY 1 ORDER BY 3 DESC LIMIT 200
"""
_NOT_THERE = ("42P01", "55000", "3F000", "42501")


def statements_of(node: Node, database: str) -> Statements:
    """Since the server's statistics were reset. Raises Transient when it does not answer."""
    try:
        with node.session(database="postgres", limit_s=LIMIT_S) as session:
            rows = session.rows(_DEAREST, (database, OURS))
    except MigrationError as error:
        if error.code not in _NOT_THERE:
            raise
        return {}
    return {text: (int(calls), float(ms)) for text, calls, ms in rows}
