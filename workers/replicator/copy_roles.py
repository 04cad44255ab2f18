"""Roles that the copied database names: a server of its own has them only if somebody made them.

Roles belong to a whole server, so only what is missing is made; what is there is left as it is, but
for the verifier: a pooler that asked one side for it logs in to the other with the keys of the same
salt, or not at all. Only a superuser may read verifiers: else a person makes login roles, and the
pooler knows their passwords.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.errors import Refused
from shared.domain.identifiers import ident, literal
from shared.ports import Session

NEEDED = """
WITH RECURSIVE needed (oid) AS (
    SELECT refobjid FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass
       AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION SELECT datdba FROM pg_database WHERE datname = current_database()
    UNION SELECT oid FROM pg_roles
        WHERE rolcanlogin AND rolname NOT IN (SELECT name FROM bluegreen.exempt_role)
    UNION SELECT m.roleid FROM pg_auth_members AS m JOIN needed ON needed.oid = m.member
)
SELECT rolname::text,
    concat_ws(' ', CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END,
        CASE WHEN NOT rolinherit THEN 'NOINHERIT' END,
        CASE WHEN rolcreaterole THEN 'CREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' END,
        CASE WHEN rolbypassrls THEN 'BYPASSRLS' END, CASE WHEN rolsuper THEN 'SUPERUSER' END,
        CASE WHEN rolreplication THEN 'REPLICATION' END,
        CASE WHEN rolconnlimit >= 0 THEN 'CONNECTION LIMIT ' || rolconnlimit END,
        'VALID UNTIL ' || quote_literal(rolvaliduntil)),
    rolcanlogin,
    ARRAY(SELECT pg_get_userbyid(roleid)::text FROM pg_auth_members
          WHERE member = r.oid ORDER BY 1),
    coalesce(rolconfig, '{}')
FROM pg_roles AS r JOIN needed USING (oid) WHERE rolname !~ '^pg_' ORDER BY 1
"""
KNOWN = "SELECT rolname::text FROM pg_roles"
VERIFIERS_ARE_READABLE = "SELECT has_table_privilege('pg_authid', 'SELECT')"
VERIFIERS = "SELECT rolname::text, rolpassword FROM pg_authid WHERE rolname = ANY (%s)"
LISTS = ("search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries")
"""Settings whose stored value is a list that is quoted already."""


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    attributes: str
    logs_in: bool
    groups: Sequence[str]
    settings: Sequence[str]
    """`name=value`, as ALTER ROLE SET stored them."""


def make(source: Session, target: Session) -> int:
    """Make the roles that are missing on the target, and give the others the source verifiers; how
    many were made. Raises Refused, with the SQL, when a role cannot be made without a person.
    """
    needed = [Role(*row) for row in source.rows(NEEDED)]
    there = {name for (name,) in target.rows(KNOWN)}
    wanted = [role for role in needed if role.name not in there]
    verifiers = _verifiers(source, needed)
    if verifiers is None and (unknown := [role for role in wanted if role.logs_in]):
        raise Refused(
            f"expected the roles of the application on the target, found none of"
            f" {', '.join(role.name for role in unknown)}; nothing was changed",
            remedy="; ".join(
                f"CREATE ROLE {ident(role.name)} {role.attributes} PASSWORD '…'" for role in unknown
            ),
        )
    theirs = _verifiers(target, needed) or {}
    with target.transaction():
        for role in wanted:
            _create(target, role, (verifiers or {}).get(role.name))
        for role in wanted:
            for group in role.groups:
                target.execute(f"GRANT {ident(group)} TO {ident(role.name)}")
        for name, verifier in theirs.items():
            wished = (verifiers or {}).get(name)
            if wished and wished != verifier:
                target.execute(f"ALTER ROLE {ident(name)} PASSWORD {literal(wished)}")
    return len(wanted)


def _verifiers(session: Session, roles: Sequence[Role]) -> dict[str, str] | None:
    """Of those that may log in; None where only a superuser may read them."""
    if not session.value(VERIFIERS_ARE_READABLE):
        return None
    names = [role.name for role in roles if role.logs_in]
    return {name: verifier or "" for name, verifier in session.rows(VERIFIERS, [names])}


def _create(target: Session, role: Role, verifier: str | None) -> None:
    password = f" PASSWORD {literal(verifier)}" if verifier else ""
    target.execute(f"CREATE ROLE {ident(role.name)} {role.attributes}{password}")
    for setting in role.settings:
        target.execute(f"ALTER ROLE {ident(role.name)} SET {setting_sql(setting)}")


def setting_sql(setting: str) -> str:
    """`name = value` for ALTER … SET, of a stored `name=value`."""
    name, value = setting.split("=", 1)
    return f"{ident(name)} = {value if name in LISTS else literal(value)}"
