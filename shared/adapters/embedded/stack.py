"""`up` and `down`: a whole stack as child processes of one supervisor, in one state directory."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from shared.adapters.embedded.accounts import server_account
from shared.adapters.embedded.build import check_place, lay_out
from shared.adapters.embedded.child import ControlFiles, write_whole
from shared.adapters.embedded.description import StackDescription, describe
from shared.adapters.embedded.layout import Layout
from shared.adapters.embedded.place_lock import locked, open_umask, writable
from shared.adapters.embedded.ports import Ports
from shared.adapters.embedded.postgres_binaries import find_postgres
from shared.adapters.embedded.postmaster import remove_shared_memory
from shared.adapters.embedded.ready import until
from shared.adapters.embedded.server_binaries import find_servers
from shared.adapters.embedded.stack_plan import SERVERS, stack_plan
from shared.adapters.embedded.start import start_agents, start_first_time, wait_for_all
from shared.adapters.processes import MARK, processes_of, send, wait_gone
from shared.domain.environment import Colour
from shared.domain.errors import Broken, Refused
from shared.settings import Settings, load

Progress = Callable[[str], None]


def _silent(sentence: str) -> None:
    """Nobody follows."""


def up(
    state_dir: Path,
    postgres_version: int | None = None,
    *,
    on_progress: Progress = _silent,
    agents: bool = True,
    jobs_days: float | None = None,
    points_days: float | None = None,
) -> StackDescription:
    """Start the stack of that directory, or make it; one that is up stays as it is, but for the
    limits of retention that are given.

    Raises Refused with a remedy when it cannot live there or a program cannot be had, Transient
    when a part does not answer in time (another `up` then goes on, `down` removes it).
    """
    root = _resolved(state_dir)
    owner = server_account()
    with writable(root):
        check_place(root, owner)
    if not Layout(root).settings.exists():
        on_progress("finding PostgreSQL, Redis, PgBouncer and nginx")
        find_postgres(postgres_version), find_servers(owner)  # before anything is made
    with open_umask(), writable(root), locked(root, create=True):
        layout = Layout(root)
        if layout.mark.exists() and not layout.settings.exists():
            on_progress("removing what an earlier start left half done")
            _end_processes(layout)
            _empty(layout)
        write_whole(layout.mark, "Made by `bluegreen up`; `bluegreen down` removes it.\n")
        if layout.settings.exists():
            settings = _resume(layout, postgres_version, on_progress)
        else:
            settings = _create(layout, postgres_version, on_progress)
        limits = settings.keeping(jobs_days=jobs_days, points_days=points_days)
        if limits != settings:
            settings = limits
            write_whole(layout.settings, settings.model_dump_json(indent=1))
        if agents:
            start_agents(layout, settings, on_progress)
        return describe(settings)


def down(state_dir: Path) -> None:
    """End every process of that stack and remove its directory. Absent is fine."""
    root = _resolved(state_dir)
    if not root.exists():
        return
    layout = Layout(root)
    if not layout.mark.exists():
        raise Refused(
            f"expected a stack in {root}, found none; nothing was removed",
            remedy="name the state directory with --state-dir or BLUEGREEN_STATE_DIR",
        )
    with locked(root, create=False) as is_there:
        if is_there:
            _end_processes(layout)
            _empty(layout)
            layout.mark.unlink(missing_ok=True)
            root.rmdir()


def _create(layout: Layout, version: int | None, on_progress: Progress) -> Settings:
    owner = server_account()
    postgres, servers = find_postgres(version), find_servers(owner)
    ports, held = Ports.choose()
    with held:
        on_progress(f"making PostgreSQL {postgres.version} servers blue, green and control")
        settings = lay_out(layout, ports, postgres, servers, owner)
        _supervise(layout, held)
    start_first_time(layout, settings, postgres, owner, on_progress)
    write_whole(layout.settings, settings.model_dump_json(indent=1))
    return settings


def _resume(layout: Layout, version: int | None, on_progress: Progress) -> Settings:
    settings = load({"BLUEGREEN_CONFIG": str(layout.settings)})
    if settings.state_dir != layout.root:
        raise Refused(
            f"expected a stack that was made in {layout.root}, found one that was moved here from "
            f"{settings.state_dir}, which its files name",
            remedy="move it back there, then call `up`; or remove it with `bluegreen down "
            f"--state-dir {layout.root}`",
        )
    there = int((layout.server("control").data / "PG_VERSION").read_text(encoding="ascii"))
    if version not in (None, there):
        raise Refused(
            f"expected a stack of PostgreSQL {version} in {layout.root}, found one of {there}",
            remedy="choose another --state-dir, or `bluegreen down` first",
        )
    if ControlFiles(layout.supervisor).supervisor().is_running:
        on_progress("the stack is up already")
    else:
        on_progress("starting the stack again")
        settings = _start_again(layout, settings, there)
    wait_for_all(layout)
    return settings


def _start_again(layout: Layout, settings: Settings, version: int) -> Settings:
    """Another supervisor for the same data and ports; the programs may lie elsewhere by now.

    Long deeds of agents go on meanwhile: they belong to jobs, not to the supervisor that died.
    """
    _end_children(layout)
    owner, postgres = server_account(), find_postgres(version)
    plan = stack_plan(layout, postgres, find_servers(owner), owner.name if owner else None)
    write_whole(ControlFiles(layout.supervisor).plan_file, plan.model_dump_json(indent=1))
    nodes = {
        colour: node.model_copy(update={"bin_dir": postgres.bin_dir})
        for colour, node in settings.nodes.items()
    }
    settings = settings.model_copy(update={"nodes": nodes})
    write_whole(layout.settings, settings.model_dump_json(indent=1))
    ports = Ports(settings.nodes[Colour.BLUE].port)
    held = ports.hold()
    if held is None or not ports.are_free():
        raise Refused(
            f"expected the stack's ports from {ports.first} on to be free, found them in use",
            remedy="end what listens there, or `bluegreen down` and `up` for other ports",
        )
    with held:
        _supervise(layout, held)
    return settings


def _end_children(layout: Layout) -> None:
    """The kernel told a dead supervisor's children to end; see that they do."""
    control = ControlFiles(layout.supervisor)
    for number in (signal.SIGQUIT, signal.SIGKILL):
        found = [control.status(name) for name in control.children()]
        left = [(it.pid, it.started) for it in found if it.pid is not None and it.started]
        for pid, started in left:
            send(pid, started, number)
        if wait_gone(left, limit_s=10):
            return


def _supervise(layout: Layout, held: socket.socket) -> None:
    """Start the supervisor, detached; it keeps the ports' reservation open."""
    with (layout.logs / "supervisor.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "shared.adapters.embedded.supervisor", str(layout.root)],
            cwd=layout.supervisor, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={**os.environ, MARK: str(layout.root)}, start_new_session=True,
            pass_fds=(held.fileno(),),
        )  # fmt: skip
    control = ControlFiles(layout.supervisor)
    until(
        lambda: process.poll() is None and control.supervisor().pid == process.pid,
        "the supervisor to start",
        limit_s=20,
        log=layout.logs / "supervisor.log",
    )
    process.returncode = 0  # it outlives us: Python shall not warn that it still runs


def _end_processes(layout: Layout) -> None:
    """The supervisor ends its children; whatever is left after that is ended one by one."""
    supervisor = ControlFiles(layout.supervisor).supervisor()
    if supervisor.pid is not None and supervisor.started is not None:
        send(supervisor.pid, supervisor.started, signal.SIGQUIT)
        wait_gone([(supervisor.pid, supervisor.started)], limit_s=15)
    # SIGQUIT lets a PostgreSQL server free its shared memory; a second look finds late ones.
    for number, limit_s in ((signal.SIGQUIT, 3), (signal.SIGKILL, 5), (signal.SIGKILL, 5)):
        left = processes_of(layout.root)
        for pid, started in left:
            send(pid, started, number)
        wait_gone(left, limit_s=limit_s)
    if left := processes_of(layout.root):
        raise Broken(f"processes of the stack did not end: {[pid for pid, _ in left]}")
    for name in SERVERS:
        remove_shared_memory(layout.server(name).data)


def _empty(layout: Layout) -> None:
    """Remove everything but the mark, the settings first: without them it is not a stack."""
    layout.settings.unlink(missing_ok=True)
    for path in layout.root.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != layout.mark:
            path.unlink()


def _resolved(state_dir: Path) -> Path:
    return state_dir.absolute().resolve()
