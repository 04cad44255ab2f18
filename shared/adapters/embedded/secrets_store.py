"""Random secrets of a stack, one file each, readable by their owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from shared.adapters.embedded.accounts import Account
from shared.adapters.embedded.child import write_whole
from shared.domain.objects import AGENT_ROLES, CONTROL_ROLES, POOLER_ROLE, REPLICATION_ROLES

POOLER_ADMINISTRATOR = "bg_pooler_admin"
CONTROL_ROLE = "bg_control"
ADMINISTRATOR = "postgres"
APPLICATION = "app"
LOGIN_ROLES = (*AGENT_ROLES.values(), *REPLICATION_ROLES.values(), POOLER_ROLE)
"""Roles of ours on blue and green."""
SECRETS = (ADMINISTRATOR, APPLICATION, *LOGIN_ROLES, POOLER_ADMINISTRATOR, CONTROL_ROLE,
           *sorted(set(CONTROL_ROLES.values()) - set(LOGIN_ROLES)), "redis", "flower")  # fmt: skip


def create_secrets(directory: Path, server: Account | None) -> None:
    """Make what is not there yet. The servers' user gets the passfiles with which one server
    reads from the other, and nothing else."""
    directory.mkdir(mode=0o711, exist_ok=True)
    passfiles = directory / "passfile"
    passfiles.mkdir(mode=0o711, exist_ok=True)
    for name in SECRETS:
        if not (directory / name).exists():
            write_whole(directory / name, secrets.token_urlsafe(24), 0o600)
    for role in REPLICATION_ROLES.values():
        secret = (directory / role).read_text(encoding="utf-8")
        passfile = passfiles / role
        write_whole(passfile, f"*:*:*:{role}:{secret}\n", 0o600)
        if server is not None:
            os.chown(passfile, server.uid, server.gid)
