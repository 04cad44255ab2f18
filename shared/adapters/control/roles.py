"""Who may do what in the control database: a login of its own for each agent, and what it needs.

An agent sees and answers the commands that are its own, and no others (row security on `outbox`
and `answer`), and only people ask for what a job is to do (on `request`). The audit is written
through its function only, so no agent can rewrite it.
Repeating any of it changes nothing. Source: PostgreSQL manual, "Privileges", "Row Security
Policies"; tests/integration/test_control_roles.py tries what is granted, and what is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shared.adapters.verifier import verifier
from shared.domain.identifiers import ident, literal
from shared.domain.objects import CONTROL_ROLES
from shared.ports import Session

SCHEMA = "bluegreen_control"
FUNCTIONS = ("append_audit(text, text, jsonb)", "is_under_way(text, integer)")
"""What every one of them executes."""
WORKER: dict[str, str] = {
    "job": "SELECT",
    "request": "SELECT",
    "fact": "SELECT, INSERT, UPDATE",
    "outbox": "SELECT, UPDATE (starts, sends, answered_at)",
    "answer": "INSERT",
}
"""Whoever runs steps: begin a command, know the job, answer, leave facts."""
ALERTS: dict[str, str] = {"alert": "SELECT, INSERT, UPDATE", "silence": "SELECT"}
EVERYTHING_TO_LOOK_AT = (
    "job", "lease", "step", "fact", "history", "request", "outbox", "audit", "rollback_point",
    "observation", "check_result", "alert", "silence", "heartbeat", "error_class", "schema_mark",
    "baseline", "traffic", "switch", "rehearsal", "comparison", "removed_step",
)  # fmt: skip
GRANTS: dict[str, dict[str, str]] = {
    "coordinator": WORKER
    | ALERTS
    | {
        "heartbeat": "SELECT",
        "job": "SELECT, UPDATE",
        "lease": "SELECT, UPDATE",
        "step": "SELECT, INSERT, UPDATE",
        "fact": "SELECT, INSERT, UPDATE, DELETE",
        "history": "INSERT",
        "answer": "SELECT, INSERT, DELETE",
        "outbox": "SELECT, INSERT, UPDATE, DELETE",
        "request": "SELECT, UPDATE (read_at)",
    },
    "validator": WORKER | {"comparison": "SELECT, INSERT, UPDATE, DELETE"},
    "replicator": WORKER | {"rehearsal": "SELECT, INSERT, UPDATE, DELETE"},
    "proxy-agent": WORKER
    | ALERTS
    | {
        "switch": "SELECT, INSERT",
        "observation": "SELECT, INSERT, UPDATE",
        # Who switches by hand beside the proxy asks the live job to go back, and for nothing else.
        "request": "SELECT, INSERT",
        "job": "SELECT, UPDATE (requested_by)",
    },
    "backup": WORKER | ALERTS | {"rollback_point": "SELECT, INSERT, UPDATE"},
    "health-monitor": WORKER
    | ALERTS
    | {
        "step": "SELECT",
        "lease": "SELECT",
        "switch": "SELECT",
        "audit": "SELECT",
        "rollback_point": "SELECT",
        "removed_step": "SELECT",
        "observation": "SELECT, INSERT, UPDATE",
        "check_result": "SELECT, INSERT, UPDATE",
        "heartbeat": "SELECT, INSERT, UPDATE",
        "error_class": "SELECT, INSERT, UPDATE",
        "schema_mark": "SELECT, INSERT, UPDATE",
        "baseline": "SELECT, INSERT",
        "traffic": "SELECT, INSERT, DELETE",
    },
    "producer": dict.fromkeys(EVERYTHING_TO_LOOK_AT, "SELECT")
    | {
        "job": "SELECT, INSERT, UPDATE (requested_by)",  # who locks a row must have a right to it
        "lease": "SELECT, INSERT, UPDATE (job)",
        "request": "SELECT, INSERT",
        "silence": "SELECT, INSERT, UPDATE",
        "baseline": "SELECT, INSERT",
        "schema_mark": "SELECT, INSERT, UPDATE",
    },
}
SEES_ALL = ("coordinator", "producer", "health-monitor")
"""Who sees the commands of others: to send them, to say where a job stands, to know what is
planned. Only the coordinator can change them."""


CHECKS_THE_AUDIT = ("producer", "health-monitor")
"""Who reads the chain from its beginning: `audit verify`, and the check that repeats it."""
REMOVE_WHAT_IS_OLD = ("coordinator", "producer")
OF_RETENTION = {
    "kept_since(double precision)": ("producer",),
    "expired_jobs(double precision)": ("producer",),
    "expired(double precision)": ("producer",),
    "remove_details(double precision, integer, double precision[], text)": REMOVE_WHAT_IS_OLD,
    "remove_old(double precision)": REMOVE_WHAT_IS_OLD,
}
"""Records go through these functions only, which keep the law of retention: nobody may delete one
by himself."""


def create_control_roles(session: Session, secret: Callable[[str], str]) -> None:
    """On the control server, as its administrator."""
    for role in CONTROL_ROLES.values():
        if session.value("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]) is None:
            password = literal(verifier(secret(role)))
            session.execute(f"CREATE ROLE {ident(role)} LOGIN PASSWORD {password}")


def grant(session: Session, logins: Mapping[str, str] = CONTROL_ROLES) -> None:
    """In the control database, as its owner, behind `install`. `logins`: role by agent."""
    roles = ", ".join(sorted({ident(role) for role in logins.values()}))
    audit_hash = f"{SCHEMA}.audit_hash(bytea, bigint, timestamptz, text, text, jsonb)"
    with session.transaction():
        session.execute("SET LOCAL client_min_messages = warning")
        session.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA {SCHEMA} FROM {roles}, PUBLIC")
        session.execute(f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {SCHEMA} FROM {roles}, PUBLIC")
        session.execute(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {roles}")
        for function in FUNCTIONS:
            session.execute(f"GRANT EXECUTE ON FUNCTION {SCHEMA}.{function} TO {roles}")
        for reader in CHECKS_THE_AUDIT:
            session.execute(f"GRANT EXECUTE ON FUNCTION {audit_hash} TO {ident(logins[reader])}")
        for function, agents in OF_RETENTION.items():
            for agent in agents:
                role = ident(logins[agent])
                session.execute(f"GRANT EXECUTE ON FUNCTION {SCHEMA}.{function} TO {role}")
        for agent, tables in GRANTS.items():
            role = ident(logins[agent])
            for table, rights in tables.items():
                session.execute(f"GRANT {rights} ON {ident(SCHEMA, table)} TO {role}")
        _own_commands_only(session, logins)
        _policies(session, "request", _requests(logins))


def _own_commands_only(session: Session, logins: Mapping[str, str]) -> None:
    its_own = " OR ".join(
        f"(current_user = {literal(role)} AND owner = {literal(agent)})"
        for agent, role in logins.items()
    )
    sees_all = ", ".join(literal(logins[agent]) for agent in SEES_ALL)
    coordinator = f"current_user = {literal(logins['coordinator'])}"
    answers = (
        f"EXISTS (SELECT FROM {SCHEMA}.outbox WHERE outbox.job = answer.job"
        f" AND outbox.step = answer.step AND outbox.epoch = answer.epoch AND ({its_own}))"
    )
    outbox = {
        "look": f"SELECT USING (current_user IN ({sees_all}) OR {its_own})",
        "begin_and_end": f"UPDATE USING ({coordinator} OR {its_own})",
        "send": f"INSERT WITH CHECK ({coordinator})",
        "take_away": f"DELETE USING ({coordinator})",
    }
    answer = {
        "answer": f"INSERT WITH CHECK ({answers})",
        "read": f"SELECT USING ({coordinator})",
        "read_once": f"DELETE USING ({coordinator})",
    }
    _policies(session, "outbox", outbox)
    _policies(session, "answer", answer)


def _requests(logins: Mapping[str, str]) -> dict[str, str]:
    people, proxy = literal(logins["producer"]), literal(logins["proxy-agent"])
    switched = f"current_user = {proxy} AND what = 'rollback'"
    return {
        "look": "SELECT USING (true)",
        "ask": f"INSERT WITH CHECK (current_user = {people} OR {switched})",
        "read": f"UPDATE USING (current_user = {literal(logins['coordinator'])})",
    }


def _policies(session: Session, table: str, policies: Mapping[str, str]) -> None:
    """`policies`: what each is for, and its rule, by name. The owner of the tables, and a
    superuser, are not held back by them."""
    session.execute(f"ALTER TABLE {ident(SCHEMA, table)} ENABLE ROW LEVEL SECURITY")
    for name, rule in policies.items():
        session.execute(f"DROP POLICY IF EXISTS {name} ON {ident(SCHEMA, table)}")
        session.execute(f"CREATE POLICY {name} ON {ident(SCHEMA, table)} FOR {rule}")
