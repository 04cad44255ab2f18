"""Make the three PostgreSQL servers: initdb, configuration files, the standby's base backup.

Nothing is lost by not waiting for the disk here: a start that a power cut interrupts begins anew.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from shared.adapters.embedded.accounts import Account, process_options
from shared.adapters.embedded.child import write_whole
from shared.adapters.embedded.layout import Layout, ServerLayout
from shared.adapters.embedded.postgres_binaries import PostgresBinaries
from shared.adapters.embedded.postgres_conf import (
    CONTROL,
    NODE,
    WITH_STATEMENTS,
    node_hba,
    plain_hba,
    postgresql_conf,
    setting_lines,
)
from shared.adapters.embedded.secrets_store import ADMINISTRATOR
from shared.adapters.processes import MARK
from shared.domain.environment import Colour
from shared.domain.errors import Broken
from shared.domain.objects import REPLICATION_ROLES, STANDBY_SLOTS

LIMIT_S = 120


def run_as(owner: Account | None, command: Sequence[str], server: ServerLayout) -> None:
    """Run one of PostgreSQL's programs to its end. Raises Broken with its last words.

    Marked, so that `down` finds it when `up` was killed meanwhile.
    """
    ended = subprocess.run(  # type: ignore[call-overload]
        command, cwd=server.root, capture_output=True, text=True, check=False, timeout=LIMIT_S,
        stdin=subprocess.DEVNULL,
        env={**_without_pg(), "LC_ALL": "C.UTF-8", MARK: str(server.root.parent)},
        **process_options(owner),
    )  # fmt: skip
    if ended.returncode != 0:
        raise Broken(
            f"{Path(command[0]).name} failed: {why(ended.stderr or ended.stdout)}",
            remedy="mend that; `bluegreen up` then begins anew, `bluegreen down` removes it",
        )


SAID_AS_REASON = ("error:", "fatal:", "panic:", "could not")


def why(words: str) -> str:
    """The first line of a program's last words that gives a reason: what it tidies up comes behind
    it. Else the last line."""
    lines = words.strip().splitlines()
    reasons = [line for line in lines if any(mark in line.lower() for mark in SAID_AS_REASON)]
    return (reasons[:1] or lines[-1:] or ["it said nothing"])[0]


def _without_pg() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def prepare(layout: Layout, name: str, owner: Account | None) -> ServerLayout:
    """The directories of one server, owned by the user that it runs as."""
    server = layout.server(name)
    logs = layout.logs / name
    for path in (server.root, server.data, server.conf, server.socket_dir, logs):
        path.mkdir(mode=0o755, exist_ok=True)
        if owner is not None:
            owner.own(path)
    server.data.chmod(0o700)
    return server


def configure(
    layout: Layout, name: str, *, port: int, cluster_name: str, binaries: PostgresBinaries
) -> None:
    server = layout.server(name)
    is_node = name in tuple(Colour)
    settings = dict(NODE if is_node else CONTROL)
    if is_node and binaries.has_pg_stat_statements:
        settings["shared_preload_libraries"] = WITH_STATEMENTS
    conf = postgresql_conf(
        server,
        port=port,
        cluster_name=cluster_name,
        log_directory=layout.logs / name,
        settings=settings,
    )
    write_whole(server.conf / "postgresql.conf", conf)
    write_whole(server.conf / "pg_hba.conf",
                node_hba(Colour(name), "open") if is_node else plain_hba())  # fmt: skip
    write_whole(server.conf / "pg_ident.conf", "")
    write_whole(server.conf / "recovery.conf", "")


def initdb(
    binaries: PostgresBinaries, server: ServerLayout, secret: str, owner: Account | None
) -> None:
    password_file = server.root / "password"
    write_whole(password_file, secret, 0o600)
    try:
        if owner is not None:
            owner.own(password_file)
        run_as(owner, [
            binaries.program("initdb"), "-D", str(server.data), "-U", ADMINISTRATOR,
            "-A", "scram-sha-256", "--pwfile", str(password_file), "--data-checksums",
            "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync",
        ], server)  # fmt: skip
    finally:
        password_file.unlink()


def make_standby(
    binaries: PostgresBinaries,
    standby: ServerLayout,
    owner: Account | None,
    *,
    of: Colour,
    conninfo: str,
) -> None:
    """Copy the active side, and make the copy follow it through its own physical slot."""
    run_as(owner, [
        binaries.program("pg_basebackup"), "-D", str(standby.data), "-d", conninfo,
        "-X", "stream", "-c", "fast", "--no-sync",
    ], standby)  # fmt: skip
    follow = {
        "primary_conninfo": conninfo,
        "primary_slot_name": STANDBY_SLOTS[of.other],
        "recovery_target_timeline": "latest",
    }
    write_whole(standby.conf / "recovery.conf", setting_lines(follow))
    signal_file = standby.data / "standby.signal"
    signal_file.touch(mode=0o600)
    if owner is not None:
        owner.own(signal_file)


def replication_conninfo(secrets: Path, of: Colour, *, port: int) -> str:
    role = REPLICATION_ROLES[of]
    passfile = secrets / "passfile" / role
    return f"host=127.0.0.1 port={port} user={role} passfile={passfile} application_name={of.other}"
