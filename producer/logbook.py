"""`bluegreen logs JOB`: what was decided about a job, and what the agents wrote of it, in order.

The agents write one JSON object per line into the stack's `logs` directory, whose older parts are
`NAME.log.1` and so on; a line belongs to a job when its field `job` says so.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from producer.configuration import Configuration
from producer.output import Output
from producer.render import details_removed, stamp
from producer.store import open_store, settings_of
from shared.ports import ControlStore, HistoryRecord

POLL_S = 1.0
"""Between two readings with `--follow`: a person reads along, until the job ends, or Ctrl-C."""
_FRAME = ("timestamp", "level", "action", "event", "job", "logger")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log of a job."""

    at: str
    """ISO 8601, UTC."""
    source: str
    """`decision`, or the log file of an agent."""
    text: str


def logs(configuration: Configuration, output: Output, job: str, *, follow: bool) -> None:
    """All entries so far; with `follow` the next ones too, until the job ends.

    Raises Refused when there is no such job.
    """
    settings = settings_of(configuration)
    store = open_store(settings)
    removed = details_removed(store.job(job).details_removed_at)
    if removed:
        output.warn(f"job {job}: {removed}")
    folder = settings.state_dir / "logs"
    seen: set[Entry] = set()
    while True:
        ended = store.job(job).outcome is not None
        entries = [entry for entry in collect(store, folder, job) if entry not in seen]
        seen.update(entries)
        if not follow:
            output.document({"job": job, "entries": [asdict(entry) for entry in entries]})
        if not output.as_json or follow:
            for entry in entries:
                output.say(f"{entry.at}  {entry.source:<16}  {entry.text}")
        if ended or not follow or not output.is_heard:
            return
        time.sleep(POLL_S)


def collect(store: ControlStore, folder: Path, job: str) -> list[Entry]:
    """Every entry of the job, oldest first."""
    entries = [_decision(record) for record in store.history(job)]
    for path in sorted(folder.glob("*.log*")):
        try:
            lines = path.open(encoding="utf-8", errors="replace")
        except FileNotFoundError:  # an older part, which went meanwhile
            continue
        with lines:
            entries += of_job(lines, path.name.split(".")[0], job)
    return sorted(entries, key=lambda entry: datetime.fromisoformat(entry.at))


def of_job(lines: Iterable[str], source: str, job: str) -> Iterator[Entry]:
    """The lines of a log file that belong to the job."""
    for line in lines:
        if job not in line:
            continue
        try:
            body: Any = json.loads(line)
        except ValueError:
            continue
        if isinstance(body, dict) and body.get("job") == job and "timestamp" in body:
            yield Entry(str(body["timestamp"]), source, _sentence(body))


def _sentence(body: dict[str, Any]) -> str:
    rest = " ".join(f"{key}={value}" for key, value in body.items() if key not in _FRAME)
    what = body.get("action") or body.get("event", "")
    return f"{body.get('level', 'info')}: {what} {rest}".rstrip()


def _decision(record: HistoryRecord) -> Entry:
    step = f" {record.step}:" if record.step else ""
    return Entry(stamp(record.at) or "", "decision", f"{record.phase}:{step} {record.sentence}")
