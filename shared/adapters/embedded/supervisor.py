"""The one process that owns all others of an embedded stack.

`python -m shared.adapters.embedded.supervisor STATE_DIR` starts what is desired to run, starts it
again when it dies, stops what is desired to stop, and ends everything when it is told to end.
Killed itself, its children get a signal from the kernel, and the next `up` starts anew.
"""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from shared.adapters.embedded.accounts import account, process_options
from shared.adapters.embedded.child import (
    ChildPlan,
    ChildStatus,
    ControlFiles,
    Desired,
    Plan,
    write_whole,
)
from shared.adapters.embedded.layout import Layout
from shared.adapters.embedded.log_files import LogFiles
from shared.adapters.processes import MARK, adopt_orphans, die_with_parent, give_way, start_time
from shared.domain.errors import MigrationError

TICK_S = 0.02
BACKOFF_S = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Wait before the n-th new start in a row after one that did not last `LASTING_S`."""
LASTING_S = 10.0
AT_ONCE_LIMIT_S = 5.0
FILES = 65_536


class Child:
    """One child process: what it should be, what it is, and the step from one to the other."""

    def __init__(self, plan: ChildPlan, control: ControlFiles, state_dir: Path) -> None:
        self.plan = plan
        self._control = control
        self._state_dir = state_dir
        self._process: subprocess.Popen[bytes] | None = None
        self._status = ChildStatus()
        self._failures = 0
        self._began = 0.0
        self._next_start = 0.0
        self._asked: signal.Signals | None = None
        self._kill_at = 0.0

    @property
    def is_running(self) -> bool:
        return self._process is not None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def step(self, desired: Desired, now: float) -> None:
        """Bring the child nearer to what is desired; never waits."""
        self._notice_end(now)
        if desired != self._status.obeys:
            self._tell(obeys=desired)
        if desired == "running":
            if self._process is None and now >= self._next_start:
                self._start(now)
            return
        self._failures, self._next_start = 0, 0.0
        if self._process is not None:
            at_once = desired == "stopped at once"
            self._ask(self.plan.stop_at_once if at_once else self.plan.stop, now)

    def _start(self, now: float) -> None:
        try:
            self._process = self._spawn()
        except (OSError, MigrationError) as error:
            print(f"{self.plan.name} cannot be started: {error}", file=sys.stderr, flush=True)
            self._back_off(now)
            return
        pid = self._process.pid
        self._began, self._asked = now, None
        self._tell(pid=pid, started=start_time(pid), starts=self._status.starts + 1)

    def _spawn(self) -> subprocess.Popen[bytes]:
        owner = account(self.plan.run_as) if self.plan.run_as else None
        us = os.getpid()
        with (Layout(self._state_dir).logs / f"{self.plan.name}.log").open("ab") as log:
            return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
                self.plan.command,
                cwd=self.plan.place, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=_environment(self.plan, self._state_dir), start_new_session=True,
                preexec_fn=lambda: self._before_exec(us),
                **process_options(owner),
            )  # fmt: skip

    def _before_exec(self, us: int) -> None:
        die_with_parent(self.plan.orphaned, us)
        if self.plan.gives_way:
            give_way(self.plan.gives_way)

    def _notice_end(self, now: float) -> None:
        if self._process is None or self._process.poll() is None:
            return
        # What it left in its session would hold its ports: nginx's workers do.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._tell(pid=None, started=None, exit_code=self._process.returncode)
        self._process = None
        if now - self._began > LASTING_S:
            self._failures = 0
        self._back_off(now)

    def _back_off(self, now: float) -> None:
        self._next_start = now + BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)]
        self._failures += 1

    def _ask(self, number: signal.Signals, now: float) -> None:
        """Signal it once, and kill it when its limit is over."""
        assert self._process is not None
        if self._asked is not number:
            at_once = number is self.plan.stop_at_once
            limit_s = AT_ONCE_LIMIT_S if at_once else self.plan.stop_limit_s
            self._asked, self._kill_at = number, now + limit_s
            self._process.send_signal(number)
        elif now > self._kill_at:
            self._kill_at = now + AT_ONCE_LIMIT_S
            self._process.kill()

    def _tell(self, **changes: object) -> None:
        self._status = self._status.model_copy(update=changes)
        self._control.tell(self.plan.name, self._status)


class Supervisor:
    def __init__(self, state_dir: Path) -> None:
        self._control = ControlFiles(Layout(state_dir).supervisor)
        plan = Plan.model_validate_json(self._control.plan_file.read_bytes())
        self._logs = LogFiles(Layout(state_dir).logs)
        self._children = [Child(child, self._control, state_dir) for child in plan.children]
        self._ending: Desired | None = None
        self._desired: dict[str, Desired] = {}
        self._desired_as_of = -1

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGQUIT, self._end)
        adopt_orphans()
        us = ChildStatus(pid=os.getpid(), started=start_time(os.getpid()), starts=1)
        write_whole(self._control.pid_file, us.model_dump_json())
        while not (self._ending and not any(child.is_running for child in self._children)):
            self._read_desired()
            floor = max((c.plan.floor for c in self._children if c.is_running), default=0)
            now = time.monotonic()
            for child in self._children:
                child.step(self._wish(child, floor), now)
            _reap_orphans({child.pid for child in self._children})
            self._logs.look(now)
            time.sleep(TICK_S)
        self._control.pid_file.unlink(missing_ok=True)

    def _wish(self, child: Child, floor: int) -> Desired:
        """Ending in order, each floor waits for those above it."""
        if self._ending is None:
            return self._desired.get(child.plan.name, "stopped")
        in_turn = child.plan.floor >= floor or not child.is_running
        return self._ending if in_turn or self._ending != "stopped" else "running"

    def _read_desired(self) -> None:
        """A change shows in the directory's time, whose grain is some milliseconds."""
        changed = self._control.desired_dir.stat().st_mtime_ns
        if changed == self._desired_as_of and time.time_ns() - changed > 100_000_000:
            return
        self._desired_as_of = changed
        self._desired = {c.plan.name: self._control.desired(c.plan.name) for c in self._children}

    def _end(self, number: int, frame: object) -> None:
        """SIGTERM ends all in order; SIGQUIT at once, when nothing will be kept."""
        self._ending = "stopped at once" if number == signal.SIGQUIT else "stopped"


def _reap_orphans(children: set[int | None]) -> None:
    """Reap what our children left to us; the children themselves are for their Popen to reap."""
    with suppress(ChildProcessError):
        while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if found.si_pid in children:
                return
            os.waitpid(found.si_pid, 0)


def _environment(plan: ChildPlan, state_dir: Path) -> Mapping[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "TMPDIR") or
        (plan.inherits_environment and not name.startswith(("PG", "DB_")))
    }  # fmt: skip
    ours = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", MARK: str(state_dir)}
    return {**inherited, **ours, **plan.environment}


def main() -> int:
    state_dir = Path(sys.argv[1])
    directory = os.open(Layout(state_dir).supervisor, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 0  # another supervisor owns this stack
    os.umask(0o022)  # the servers' user reads what agents write for it
    _allow_many_files()
    Supervisor(state_dir).run()
    return 0


def _allow_many_files() -> None:
    """As many open files as the host lets us have: the doors need two for each client."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


if __name__ == "__main__":
    sys.exit(main())
