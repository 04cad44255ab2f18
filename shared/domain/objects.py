"""Names of everything Bluegreen puts on a migrated server; each is in the glossary.

`STANDING` is installed once and stays (fence, lift, epoch: section "Fence" of docs/cutover.md).
Everything else belongs to one job and is gone when the job ends; one live job per database
makes fixed names enough, and a fixed name is what `is_done` can ask for after a crash.
"""

from __future__ import annotations

STANDING = "bluegreen"
"""Schema of the privileged functions and the stored fence list. Never replicated, never dropped."""

JOB = "bluegreen_job"
"""Schema of one job: marker, lost, freeze function, trigger functions, the two renamers."""

MARKER = f"{JOB}.marker"
"""Table `(token text PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp())`, carried by
both publications: a row written on one side and awaited on the other."""

FORWARD = "bluegreen_forward"
"""Publication and slot on the source, subscription on the target."""

COPY = "bluegreen_copy"
"""Publication on the source of every table as it is, and the subscription on the target that copies
it; gone before the file runs. It reads the slot FORWARD, which the stream goes on from."""

REVERSE = "bluegreen_reverse"
"""The same the other way, from the cutover until `finish`."""

GUARD = "bluegreen_guard"
"""Physical slots on both sides that hold the WAL which pg_rewind needs."""

FREEZE = "bluegreen_freeze"
"""Event trigger that refuses DDL by others while a job is live."""

STANDBY_SLOTS = {"blue": "bluegreen_standby_blue", "green": "bluegreen_standby_green"}
"""Physical slot on the active side, named after the standby that reads it."""

FORWARD_TRIGGER = "~bluegreen_forward"
REVERSE_TRIGGER = "~bluegreen_reverse"
"""`~` sorts behind every letter, so that our triggers run last (triggers fire by name)."""

OWNER_ROLE = "bg_owner"
"""NOLOGIN owner of the privileged functions."""

APPLY_ROLE = "bg_apply"
"""Owner of the subscriptions where nothing of ours is a superuser: a server applies what it gets as
this role, which may log in, as PostgreSQL demands, and has no password."""

AGENT_ROLES = {
    "validator": "bg_validator",
    "backup": "bg_backup",
    "replicator": "bg_replicator",
    "proxy-agent": "bg_proxy",
    "health-monitor": "bg_health",
}
"""Login role of each agent on blue and green."""

CONTROL_ROLES = {**AGENT_ROLES, "coordinator": "bg_coordinator", "producer": "bg_producer"}
"""Login role of each agent, and of the command line, on the control database."""

REPLICATION_ROLES = {"blue": "bg_repl_blue", "green": "bg_repl_green"}
"""Login role with which the *other* server reads from this one."""

POOLER_ROLE = "bg_pooler"
"""Role with which PgBouncer asks for the verifiers of application roles (auth_query)."""
