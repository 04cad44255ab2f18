"""The demo, told in order: a stack, a shop under load, three migrations, one taken back.

Everything that a user would do is done as a user would: by the `bluegreen` command. The account
at the end asks the side that serves.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from shared.adapters.control.store import PostgresControlStore, control_store
from shared.adapters.demo.account import Account, Entry, balance, read_cents, read_journal
from shared.adapters.demo.shop import build_shop, open_session
from shared.adapters.demo.waits import finishes, what_was_going_on
from shared.domain.errors import Broken
from shared.ports import ControlStore
from shared.settings import load as load_settings

FOLLOW_LIMIT_S = 900.0
LOAD_END_LIMIT_S = 30.0
LOOK_S = 0.2
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Demo:
    folder: Path
    """Everything the demo leaves: the files, the journal, report.json."""
    state: Path
    """State directory of its stack; gone at the end."""
    rows: int
    clients: int
    rate: float
    say: Say

    def bluegreen(self, *words: str, may_fail: bool = False) -> Any:
        """Call the command line with --json and give back what it printed.

        Raises Broken with its last words when it fails and may not.
        """
        command = [sys.executable, "-m", "producer", *words, "--json"]
        said = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=FOLLOW_LIMIT_S,
            env=_environment(self.state),
            check=False,
        )
        if said.returncode != 0 and not may_fail:
            raise Broken(
                f"expected `bluegreen {' '.join(words)}` to succeed, found exit"
                f" {said.returncode}: {said.stderr.strip() or said.stdout.strip()}"
            )
        return json.loads(said.stdout) if said.stdout.strip() else {}


def _environment(state: Path) -> dict[str, str]:
    return {**os.environ, "BLUEGREEN_STATE_DIR": str(state)}


def play(demo: Demo) -> dict[str, Any]:
    """Run the whole story; the report, as it is also written to `report.json`."""
    began = time.monotonic()
    demo.folder.mkdir(parents=True, exist_ok=True)
    files = _migration_files(demo.folder)
    demo.say("starting blue, green, control, Redis, PgBouncer, nginx, six agents and Flower")
    doors = demo.bluegreen("up", "--state-dir", str(demo.state))
    try:
        demo.say(f"building the shop: 9 tables, {demo.rows} orders")
        build_shop(doors["direct"], demo.rows)
        with open_session(doors["app"]) as session:
            cents = read_cents(session)
        with load(demo, doors["app"]) as journal:
            jobs = list(_migrate(demo, files))
        entries = list(read_journal(journal))
        with open_session(doors["app"]) as session:
            account = balance(entries, session, cents)
        told = _what_they_waited_for(_control(demo), [job["job"] for job in jobs], entries)
    finally:
        demo.bluegreen("down", "--state-dir", str(demo.state), may_fail=True)
    report = _report(account, jobs, time.monotonic() - began) | told
    (demo.folder / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return report


def _migration_files(folder: Path) -> list[Path]:
    """The three files, copied to where a user would keep them."""
    found = []
    for source in sorted(resources.files(__package__).iterdir(), key=lambda file: file.name):
        if source.name[0].isdigit() and source.name.endswith(".sql"):
            target = folder / source.name
            target.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
            found.append(target)
    return found


@contextmanager
def load(demo: Demo, dsn: str) -> Iterator[Path]:
    """Run the clients while the body runs; gives the journal's path, complete at the end."""
    secret, journal = demo.folder / "load.dsn", demo.folder / "journal.tsv"
    secret.touch(mode=0o600)
    secret.write_text(dsn, encoding="utf-8")
    words = ["--dsn-file", str(secret), "--journal", str(journal)]
    words += ["--clients", str(demo.clients), "--rate", str(demo.rate)]
    process = subprocess.Popen([sys.executable, "-m", "shared.adapters.demo.load", *words])
    demo.say(f"{demo.clients} clients write {demo.rate:g} transactions a second from here on")
    try:
        yield journal
    finally:
        process.terminate()
        process.wait(LOAD_END_LIMIT_S)
        secret.unlink()
    if process.returncode != 0:
        raise Broken(f"expected the load to end with 0, found exit {process.returncode}")


def _migrate(demo: Demo, files: list[Path]) -> Iterator[dict[str, Any]]:
    shop, plans, nickname = files
    demo.say(f"{shop.name}: forward, then back inside the rollback window")
    job = _run_to_window(demo, shop)
    demo.bluegreen("rollback", job, "--yes")
    yield _ended(demo, job, "rolled_back")
    demo.say(f"{shop.name}: again, and finished")
    job = _run_to_window(demo, shop)
    demo.bluegreen("finish", job)
    yield _ended(demo, job, "completed")
    demo.say(f"{plans.name}: a second risky migration, in the other colour direction")
    job = _run_to_window(demo, plans)
    demo.bluegreen("finish", job)
    yield _ended(demo, job, "completed")
    demo.say(f"{nickname.name}: a safe migration on the active side")
    job = demo.bluegreen("run", str(nickname), "--type", "safe", "--detach")["job"]
    demo.bluegreen("watch", job)
    yield _ended(demo, job, "completed")


def _run_to_window(demo: Demo, file: Path) -> str:
    """Enqueue a risky file and wait until traffic is on the other side and confirmed."""
    words = ("run", str(file), "--type", "risky", "--yes", "--detach")
    job: str = demo.bluegreen(*words)["job"]
    store = _control(demo)
    deadline = time.monotonic() + FOLLOW_LIMIT_S
    last: str | None = None
    while time.monotonic() < deadline:
        state = store.job(job)
        if state.step != last:
            last = state.step
            demo.say(f"  {job}: {last}")
        if state.outcome is not None:
            raise Broken(
                f"expected {file.name} to reach its rollback window, found {state.outcome}:"
                f" {state.sentence}"
            )
        if state.step == "hold_rollback_window":
            return job
        time.sleep(LOOK_S)
    raise Broken(f"expected job {job} in its rollback window within {FOLLOW_LIMIT_S:g} s")


def _control(demo: Demo) -> PostgresControlStore:
    settings = load_settings(_environment(demo.state))
    return control_store(settings)


def _what_they_waited_for(
    store: ControlStore, jobs: list[str], entries: list[Entry]
) -> dict[str, Any]:
    longest = max(entries, key=lambda entry: entry.took_ms, default=None)
    return {
        "longestStallMs": round(longest.took_ms, 1) if longest else 0.0,
        "longestStallDuring": what_was_going_on(store, jobs, longest),
        "finishes": finishes(store, jobs, entries),
    }


def _ended(demo: Demo, job: str, outcome: str) -> dict[str, Any]:
    report: dict[str, Any] = demo.bluegreen("report", job)
    if report["outcome"] != outcome:
        raise Broken(f"expected job {job} to end {outcome}, found {report['outcome']}")
    demo.say(f"  {job}: {outcome}")
    return report


def _report(account: Account, jobs: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    switches = [switch for job in jobs for switch in job["switches"]]
    compared = [job["comparison"] for job in jobs if job.get("comparison")]
    writable = [job["secondsToWritableGreen"] for job in jobs if job.get("secondsToWritableGreen")]
    counted = asdict(account)
    return {
        "acknowledged": counted["acknowledged"],
        "lost": counted["lost"],
        "duplicated": counted["duplicated"],
        "failed": counted["failed"],
        "errors": list(account.errors),
        "secondsToWritableGreen": max(writable, default=None),
        "rowsCompared": sum(row["rowsCompared"] for row in compared),
        "rowsDifferent": sum(row["rowsDifferent"] for row in compared),
        "switches": switches,
        "jobs": [
            {"job": job["job"], "type": job["type"], "outcome": job["outcome"]} for job in jobs
        ],
        "seconds": round(seconds, 1),
    }


def is_clean(report: dict[str, Any]) -> bool:
    """Nothing lost, doubled, failed or different, and something was really done."""
    zero = ("lost", "duplicated", "failed", "rowsDifferent")
    return all(report[name] == 0 for name in zero) and report["acknowledged"] > 0
