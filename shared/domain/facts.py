"""What steps learn and later steps need: one model per step, kept in the control database.

Workers never import each other, so a fact that crosses from one worker to another is named here.
A step stores `Facts(...).model_dump(mode="json")` in `Done.facts`; a later one reads `X.of(job)`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict

from shared.domain.errors import Broken
from shared.domain.kinds import Strategy
from shared.domain.migration import Job


class Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    step: ClassVar[str]

    @classmethod
    def of(cls, job: Job) -> Self:
        """The facts of that step of this job. Raises Broken when the step left none."""
        found = cls.maybe(job)
        if found is None:
            raise Broken(f"expected facts of step {cls.step} of job {job.id}, found none")
        return found

    @classmethod
    def maybe(cls, job: Job) -> Self | None:
        body = job.facts.get(cls.step)
        return None if body is None else cls.model_validate(body)


class PlannedBatch(BaseModel):
    """A statement that runs in many transactions along a key (shared/sql/plan.py)."""

    model_config = ConfigDict(frozen=True)
    table: str
    key: str
    size: int


class PlannedGroup(BaseModel):
    """Statements of a safe file that run, and are repeated, together (shared/sql/plan.py)."""

    model_config = ConfigDict(frozen=True)
    statements: tuple[int, ...]
    """Indexes into shared.sql.parse.statements of the file."""
    transaction: bool
    begin: str = "BEGIN"
    lock_timeout: bool = True
    short_pause: bool = False
    rolls_back: bool = False
    batch: PlannedBatch | None = None
    why: str = ""


class Validation(Facts):
    step = "validate"
    migration_type: str
    """What the file needs, seen against the live catalog."""
    risk_level: str
    plan: tuple[PlannedGroup, ...]
    warnings: tuple[str, ...] = ()
    locks: dict[str, str] = {}


class Preflight(Facts):
    step = "preflight"
    server_version_num: dict[str, int]
    """By colour, as `server_version_num`: 180004."""
    system_identifier: str
    warnings: list[str] = []
    strategy: Strategy = "fork"
    """How a risky migration gets its green."""
    database_bytes: int | None = None
    """Size of the database on the active side; None: a preflight of an older version."""
    copy_bytes: int = 0
    """The same, where it is to be copied."""
    copy_estimate_s: float = 0.0


def copies(job: Job) -> bool:
    """Whether green is made by a copy through SQL: decided in preflight, once for the whole job."""
    found = Preflight.maybe(job)
    return found is not None and found.strategy == "copy"


class RollbackPoint(Facts):
    step = "take_rollback_point"
    path: str
    scope: str


class VerifiedPoint(Facts):
    step = "verify_rollback_point"
    path: str
    scope: str
    sha256: str
    rows: int


class Rehearsal(Facts):
    step = "rehearse"
    mapping: dict[str, Any]
    """A shared.mapping.model.Mapping, as JSON."""
    run_as: str
    """Role the file runs as (docs/adr/0003-who-runs-the-file.md)."""


class Freeze(Facts):
    step = "freeze_schema"
    fingerprint: str
    """Of the source's schema while DDL is frozen; a change later means that someone got past."""


class Fork(Facts):
    step = "create_green"
    fork_lsn: str
    seconds_to_writable: float
    """From the start of the step to a green that takes writes; a copy has then its indexes too."""
    strategy: Strategy = "fork"


class PartitionFiles(BaseModel):
    """Of partitions whose TRUNCATE is not carried: what held their rows before any was compared."""

    model_config = ConfigDict(frozen=True)
    source: dict[str, int]
    """Partition, by oid, to its file."""
    target: dict[str, list[int]]
    """The table at the top, by its qualified name, to its files there."""
    oldest: int
    """On the source: the oldest transaction that may have been under way."""


class Verdict(Facts):
    step = "compare_rows"
    tables: int
    rows_compared: int
    rows_different: int
    columns_not_compared: list[str] = []
    at: str
    """ISO 8601; the cutover refuses a verdict that is older than an hour."""
    files: PartitionFiles | None = None
    """None: no such partition was there."""


class StatementCheck(Facts):
    step = "check_statements"
    statements: int
    """How many counted: those recorded, or those of `--queries`."""
    broken: list[str] = []
    """Those that fail on the final shape, each with the server's reason."""
    set_aside: list[str] = []
    """Recorded statements that fail there and do not count: their sender knows another one, or
    `--queries` says what counts."""
    slower: list[str] = []
    """Those whose plan costs much more there, by the server's own estimate."""
    seen: bool = True
    """False where no server records statements."""


class Cutover(Facts):
    step = "cutover"
    at: str
    direction: str
    """`blue->green` or `green->blue`."""
    window_ms: float
    phases_ms: dict[str, float] = {}


class OpenedWindow(Facts):
    step = "wait_for_window"
    at: datetime
    """When the job went on."""


class HeldTraffic(Facts):
    """How long clients of a maintenance were held: from the PAUSE that came to rest."""

    step = "hold_traffic"
    held_at: datetime
    how: str = "hold"
    """`hold` or `refuse`."""
    sessions_cut: int = 0
    """Of the direct door, which cannot hold anybody."""
    released_at: datetime | None = None

    @property
    def seconds(self) -> float:
        """0 while they are still held."""
        if self.released_at is None:
            return 0.0
        return (self.released_at - self.held_at).total_seconds()


class ReleasedTraffic(HeldTraffic):
    step = "release_traffic"


def leaves_facts(step: str) -> bool:
    """Whether that step leaves facts that a later one may ask for."""
    models: list[type[Facts]] = [*Facts.__subclasses__(), ReleasedTraffic]
    return any(model.step == step for model in models)
