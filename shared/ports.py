"""What the world must offer to the steps: Protocols only. The adapters keep these promises.

A step names the ports it uses in its fields and gets nothing else; tests hand it fakes or the
real thing. Every call has a limit, and raises only errors of shared/domain/errors.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from shared.domain.environment import Colour
from shared.domain.health import Severity
from shared.domain.messages import Event
from shared.domain.migration import BackupScope, Job, Kind, Outcome, RunOptions, StepState
from shared.domain.rollback_point import Manifest
from shared.saga.events import Steering as Steering

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The step's guarantee holds. `facts` are kept for later steps, `sentence` is for people."""

    sentence: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pending:
    """Begun, not finished: look again after `look_again_s`. `progress` is 0 to 1 where known."""

    sentence: str
    progress: float | None = None
    look_again_s: float = 0.5


class Step(Protocol):
    """One step of a recipe, with its way back. All three may be repeated, and may die half way.

    `do` starts what is not started, looks at what is, and answers within seconds. `undo` brings
    back the state before `do` from any half state, also when `do` never ran.
    """

    name: ClassVar[str]

    def is_done(self, job: Job) -> bool:
        """Ask the world (catalog, slot, proxy), never a flag of ours."""
        ...

    def do(self, job: Job) -> Done | Pending: ...

    def undo(self, job: Job) -> Done | Pending: ...


@runtime_checkable
class Recalling(Protocol):
    """A step that can read its facts from the world again.

    A worker may die between the deed and the answer; the repeat then finds the step done, and
    must not leave later steps without what it learned.
    """

    def recall(self, job: Job) -> Mapping[str, Any]: ...


class Session(Protocol):
    """One connection to one PostgreSQL database, in autocommit outside `transaction()`."""

    def execute(self, sql: str, params: Sequence[Any] | None = None) -> int:
        """Run one command; rows touched. Without `params` a `%` in `sql` is only a `%`."""
        ...

    def rows(self, sql: str, params: Sequence[Any] | None = None) -> list[Row]: ...

    def row(self, sql: str, params: Sequence[Any] | None = None) -> Row | None: ...

    def value(self, sql: str, params: Sequence[Any] | None = None) -> Any:
        """First column of the first row, or None when there is no row."""
        ...

    def transaction(self) -> AbstractContextManager[None]: ...

    def script(self, sql: str) -> None:
        """Run several statements as one message: the server goes through all of it, up to a
        COMMIT in it, even when we die meanwhile. An error knows its `position` and how many
        statements `completed`. A message that begins a transaction must end it."""
        ...

    def close(self) -> None: ...

    def cut(self) -> None:
        """From another thread: end the connection at once. A call under way raises Transient,
        which is how a wait for a server that does not answer at all comes to an end."""
        ...


class NodeDriver(Protocol):
    """What needs the host of one server. `local`, `docker`; `remote` refuses with a remedy."""

    def is_running(self) -> bool: ...

    def start(self, *, limit_s: float) -> None:
        """Start and return once it accepts connections or is in recovery. Running: nothing."""
        ...

    def stop(self, *, mode: Literal["fast", "immediate"] = "fast", limit_s: float) -> None: ...

    def reload(self) -> None: ...

    def set_access(self, level: Literal["open", "closed"]) -> None:
        """`closed`: pg_hba rejects everyone but our own roles. Durable, reloaded when running."""
        ...

    def access(self) -> Literal["open", "closed"]:
        """What was set last; `open` when nothing ever was."""
        ...

    def set_recovery(self, settings: Mapping[str, str], *, standby: bool) -> None:
        """Write recovery settings (and standby.signal or recovery.signal) for the next start.

        They live outside the data directory, so that rewind and base backup never carry them over.
        """
        ...

    def clear_recovery(self) -> None:
        """Forget those settings; reloaded when running."""
        ...

    def start_deed(self, name: str, program: str, args: Sequence[str]) -> None:
        """Run `pg_rewind` or `pg_basebackup` for this node's data directory, in the background.

        `args` are those after the target directory, which the driver knows. The server must be
        stopped. A deed of that name that still runs is left alone.
        """
        ...

    def look_at_deed(self, name: str) -> DeedState: ...

    def forget_deed(self, name: str) -> None:
        """End it if it runs, and remove its record."""
        ...

    def free_disk_bytes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class DeedState:
    """A long piece of work in a process of its own."""

    state: Literal["absent", "running", "succeeded", "failed"]
    last_line: str = ""
    progress: float | None = None


class Node(Protocol):
    """One PostgreSQL server: how to talk to it as one agent, and its driver."""

    colour: Colour
    driver: NodeDriver

    def session(
        self,
        *,
        database: str | None = None,
        limit_s: float = 30.0,
        lock_limit_s: float | None = None,
        connect_limit_s: float = 3.0,
        application_name: str = "",
    ) -> AbstractContextManager[Session]:
        """Connect as this agent's role; `limit_s` becomes statement_timeout (0: none).

        Raises Transient when the server cannot be reached, Broken when another server answers
        than the one that is known under this colour (cluster_name is checked after connecting).
        """
        ...

    def replication_conninfo(self, *, database: str | None) -> str:
        """A libpq conninfo with which the other server reads from this one. Holds no password:
        it names a passfile."""
        ...


class Pooler(Protocol):
    """PgBouncer: the valve that holds clients without failing them, and the pooled route."""

    def opened(self) -> AbstractContextManager[Pooler]:
        """The same pooler over connections that stand already: for calls that must be quick."""
        ...

    def pause(self, *, limit_s: float) -> None:
        """Hold new transactions, wait for open ones. Raises Transient when `limit_s` is over;
        the pool is then already resumed."""
        ...

    def resume(self) -> None:
        """Let clients go on; a pool that is not paused is left as it is."""
        ...

    def is_paused(self) -> bool: ...

    def refuse(self) -> None:
        """Of a paused pool: turn clients away with a message instead of letting them wait."""
        ...

    def admit(self) -> None:
        """Let clients in again and go on, whatever held or refused them."""
        ...

    def route_to(self, colour: Colour) -> None:
        """Write the route durably, reload, and read it back."""
        ...

    def routed_to(self) -> Colour: ...


class DirectDoor(Protocol):
    """nginx: the door for session features, routed by one symlink."""

    def route_to(self, colour: Colour) -> None: ...

    def routed_to(self) -> Colour: ...


class Companion(Protocol):
    """A process of ours beside this one, spoken to in JSON. It learns at once when we die."""

    def say(self, message: Mapping[str, Any]) -> None: ...

    def hear(self, *, limit_s: float) -> dict[str, Any]:
        """The next message. Raises Transient when there is none in time, or it has ended."""
        ...

    def end(self, *, limit_s: float) -> None:
        """Let it end by itself within the limit, else kill it, also when it is frozen."""
        ...


class RollbackPoints(Protocol):
    """The backup directory and the work on it. A point deleted by hand is gone, not an error."""

    def of_job(self, job: str) -> Manifest | None:
        """The job's newest point that is not marked unused and whose files are all there."""
        ...

    def path(self, point: Manifest) -> str:
        """Where its schema part is, for people."""
        ...

    def take_schema(self, job: Job, scope: BackupScope) -> Manifest:
        """Write the schema part and the manifest of a new point of the active side, now."""
        ...

    def dump_data(self, point: Manifest, tables: Sequence[str]) -> DeedState:
        """Start the data part in a process of its own, or look at it. Raises what it failed with;
        the next call then starts anew."""
        ...

    def verify(self, point: Manifest) -> DeedState:
        """Restore the point into a scratch database and count: at once for a schema, else in a
        process of its own, as `dump_data`."""
        ...

    def discard_data(self, job: str) -> None:
        """End the dump if it runs, delete the data part."""
        ...

    def discard_scratch(self, job: str) -> None:
        """End the verification if it runs, drop the scratch database."""
        ...

    def mark_unused(self, job: str) -> None: ...


@dataclass(frozen=True, slots=True)
class RehearsedFile:
    """What a rehearsal learned."""

    mapping: Mapping[str, Any]
    """A shared.mapping.model.Mapping, as JSON."""
    run_as: str
    """Role that the file runs as."""


class RehearsalRoom(Protocol):
    """Empty copies of one server's schema, made for a rehearsal and dropped after it."""

    def rehearse(self, sql: str) -> RehearsedFile:
        """Raises Refused, with statement, line and remedy, for what cannot be carried."""
        ...

    def is_clear(self) -> bool:
        """No copy is there."""
        ...

    def clear(self) -> None: ...


class Rehearsals(Protocol):
    """What rehearsals learned, by job."""

    def find(self, job: str) -> RehearsedFile | None: ...

    def save(self, job: str, rehearsed: RehearsedFile) -> None: ...

    def forget(self, job: str) -> None: ...


class Comparisons(Protocol):
    """How far the comparison of a job has come, as JSON, by job."""

    def find(self, job: str) -> Mapping[str, Any] | None: ...

    def save(self, job: str, progress: Mapping[str, Any]) -> None: ...

    def forget(self, job: str) -> None: ...


class Observations(Protocol):
    """What a step saw of a job at an earlier look, kept in the control database."""

    def seen(self, job: str, key: str) -> Mapping[str, Any] | None: ...

    def note(self, job: str, key: str, body: Mapping[str, Any]) -> None:
        """Keep it under that key, in place of what stood there."""
        ...


class Alerts(Protocol):
    """Told once when something begins to be wrong, and once when it is over. Never raises: an
    alert that cannot be told must not stop a step."""

    def raise_alert(
        self, name: str, severity: Severity, sentence: str, detail: Mapping[str, Any] | None = None
    ) -> None: ...

    def clear_alert(self, name: str, sentence: str) -> None: ...


class Door(Protocol):
    """The pooled door as a client sees it."""

    def round_trip_ms(self, *, limit_s: float) -> float:
        """Log in and run one statement. Raises Transient when that fails or takes longer."""
        ...


@dataclass(frozen=True, slots=True)
class SwitchRecord:
    """One change of sides, and what the probe through the pooled door saw of it."""

    job: str
    attempt: int
    direction: str
    """`blue->green` or `green->blue`."""
    at: datetime
    window_ms: float
    """From PAUSE to RESUME; the whole attempt where its process died in it."""
    phases_ms: Mapping[str, float] = field(default_factory=dict)
    connections_cut: int = 0
    failed_transactions: int | None = None
    """None, as all that follow: no probe was running."""
    baseline_p50_ms: float | None = None
    baseline_p99_ms: float | None = None
    longest_ms: float | None = None
    samples: Sequence[tuple[float, float, bool]] = ()
    """(milliseconds from PAUSE, latency in milliseconds, acknowledged) of each transaction."""


class Switches(Protocol):
    """What was measured of each change of sides, kept for the report."""

    def save(self, record: SwitchRecord) -> None:
        """A record of the same job and attempt is kept as it is."""
        ...

    def of_job(self, job: str) -> list[SwitchRecord]:
        """Oldest first."""
        ...


class Bus(Protocol):
    """The event stream. Losing it loses wake-ups, never truth."""

    def publish(self, event: Event) -> None:
        """Never raises: a watcher that misses an event must not stop a step."""
        ...

    def read(self, after: str, *, block_ms: int) -> list[tuple[str, Event]]:
        """Events behind the id `after` (`$`: from now on), oldest first."""
        ...


class ControlStore(Protocol):
    """The control database as the producer sees it: submit, ask, steer (shared/adapters/control).

    Raises Transient when it cannot be reached.
    """

    def submit(
        self,
        *,
        database: str,
        kind: Kind,
        file_name: str,
        sql: str,
        options: RunOptions,
        source: Colour,
        requested_by: str,
    ) -> str:
        """Write the job and return its id. Raises `AnotherJob` while one is live on the database,
        `AlreadyApplied` / `EditedAfterApplied` for a file that a completed job carried."""
        ...

    def expect_unapplied(self, *, database: str, file_name: str, sql: str) -> None:
        """Raises `AlreadyApplied` / `EditedAfterApplied` as `submit` would; writes nothing."""
        ...

    def job(self, job: str) -> JobRecord:
        """Raises Refused when there is no such job."""
        ...

    def jobs(self, *, limit: int = 50, live_only: bool = False) -> list[JobRecord]:
        """Newest first."""
        ...

    def steps(self, job: str) -> list[StepRecord]: ...

    def history(self, job: str, *, after: int = 0) -> list[HistoryRecord]: ...

    def request(self, job: str, what: Steering, *, by: str) -> None:
        """Ask the coordinator for something; it is noted now and honoured at the next answer.

        Raises Refused, with the reason, when the job's state makes it impossible.
        """
        ...

    def append_audit(self, *, actor: str, action: str, detail: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One row of `job`."""

    id: str
    database: str
    kind: Kind
    file_name: str
    sql: str
    options: RunOptions
    source: Colour
    phase: str
    """requested | forward | backward | stuck | completed | rolled_back | refused"""
    step: str | None
    outcome: Outcome | None
    sentence: str
    """The last sentence for people: why it ended, or what it does."""
    epoch: int
    attempt: int
    requested_by: str
    requested_at: datetime
    ended_at: datetime | None
    facts: Mapping[str, Mapping[str, Any]]
    remedy: str = ""
    """What a person can do about `sentence`, where something can be done."""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One row of `step`: for people, rebuilt when it is lost."""

    name: str
    owner: str
    state: StepState
    attempts: int
    progress: float | None
    sentence: str
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class HistoryRecord:
    seq: int
    at: datetime
    phase: str
    event: str
    step: str | None
    sentence: str
