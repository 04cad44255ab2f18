"""The login roles of a migrated server, as the stack makes them, and its database `app`."""

from __future__ import annotations

import psycopg
from psycopg import sql

from shared.domain.objects import AGENT_ROLES, POOLER_ROLE, REPLICATION_ROLES

RIGHTS = {
    "bg_replicator": "SUPERUSER",
    "bg_validator": "BYPASSRLS IN ROLE pg_read_all_data, pg_monitor",
    "bg_backup": "BYPASSRLS IN ROLE pg_read_all_data",
    "bg_health": "IN ROLE pg_monitor",
    "bg_proxy": "IN ROLE pg_monitor",
    "bg_repl_blue": "REPLICATION",
    "bg_repl_green": "REPLICATION",
}
APPLICATION_ROLE = "app"
DATABASE = "app"


def create_roles(connection: psycopg.Connection) -> None:
    """As the administrator, on a fresh server."""
    for role in (*AGENT_ROLES.values(), *REPLICATION_ROLES.values(), POOLER_ROLE):
        rights = sql.SQL(RIGHTS.get(role, ""))
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN {}").format(sql.Identifier(role), rights))
    connection.execute("CREATE ROLE app LOGIN")
    connection.execute("CREATE DATABASE app OWNER app")
