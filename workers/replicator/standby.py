"""Make a server the standing standby of the active one, from whatever it is.

One that never left the active side's history is only started. One that did is rewound, or copied
anew where that is cheaper or the only way; both run as deeds that outlive the worker.

Order: closed door, slot, deed, recovery settings, start, streaming, guards dropped, door open.
The deed's name carries the job, so that no older deed's end is taken for this one's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.domain.errors import Broken, Transient
from shared.domain.facts import Fork
from shared.domain.migration import Job
from shared.domain.objects import GUARD, STANDBY_SLOTS
from shared.ports import DeedState, Done, Node, Pending, Session
from workers.replicator import calm_stop, fork
from workers.replicator.poll import holds_within

STREAMING_LIMIT_S = 3.0
SERVER_DATABASE = "postgres"
"""There the replication roles may call what pg_rewind calls (grants are per database)."""
CREATE_SLOT = """
SELECT pg_create_physical_replication_slot(%s, true)
WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %s)
"""
IS_STANDBY = """
SELECT pg_is_in_recovery() AND EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')
"""
WRITTEN = "SELECT pg_current_wal_flush_lsn()::text"
HAS_REPLAYED = "SELECT coalesce(pg_last_wal_replay_lsn() >= %s::pg_lsn, false)"
SLOT_IS_READ = "SELECT active FROM pg_replication_slots WHERE slot_name = %s"
IS_FENCED = "SELECT EXISTS (SELECT FROM bluegreen.fenced_role)"
COST = """
SELECT coalesce((SELECT sum(pg_database_size(oid)) FROM pg_database WHERE datallowconn), 0)::bigint,
    (SELECT coalesce(sum(size), 0) FROM pg_ls_waldir())::bigint,
    pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(%s::pg_lsn, pg_current_wal_lsn()))::bigint,
    coalesce((SELECT wal_status IN ('reserved', 'extended') FROM pg_replication_slots
              WHERE slot_name = %s), false),
    (SELECT setting::float8 FROM pg_settings WHERE name = 'checkpoint_timeout')
        * current_setting('checkpoint_completion_target')::float8
"""
READ_BYTES_PER_S = 100e6
"""Both ways read and write the same kind of disk: only its order of magnitude matters."""

Way = Literal["rewind", "copy"]
WAYS: tuple[Way, ...] = ("rewind", "copy")
SLOT_IS_GONE = """
SELECT NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %s AND wal_status <> 'lost')
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What decides between the two ways."""

    databases_bytes: int
    wal_kept_bytes: int
    """pg_rewind copies the whole of the active side's pg_wal."""
    wal_since_fork_bytes: int
    """Upper bound of the changed blocks, which pg_rewind copies."""
    wal_is_held: bool
    """The guard still holds everything since before the fork; without it no rewind can work."""
    spread_checkpoint_s: float
    """A base backup that does not disturb clients begins with one."""

    def cheaper(self) -> Way:
        if not self.wal_is_held:
            return "copy"
        rewind_s = (self.wal_kept_bytes + self.wal_since_fork_bytes) / READ_BYTES_PER_S
        copy_s = self.spread_checkpoint_s + self.databases_bytes / READ_BYTES_PER_S
        return "rewind" if rewind_s <= copy_s else "copy"


def make_standby(
    node: Node,
    active: Node,
    session: Session,
    job: Job,
    *,
    diverged: bool,
    prefer: Way | None = None,
) -> Done | Pending:
    """Done once `node` streams from `active`. `session` is on the active side.

    `diverged`: it left the active side's history in this job, and what is new in it is given up.
    `prefer`: the way to begin with, where it is not the cheaper one that decides.
    Raises Transient when both ways failed; the next attempt begins anew.
    """
    slot = STANDBY_SLOTS[node.colour.value]
    session.execute(CREATE_SLOT, [slot, slot])
    if diverged:
        # One look decides: begun anew because it ended between two, pg_rewind would first let the
        # rewound server write a checkpoint of its own, behind which it can follow nobody.
        deeds = {way: node.driver.look_at_deed(_deed(way, job)) for way in WAYS}
        if all(deed.state != "succeeded" for deed in deeds.values()):
            return _bring_back(node, active, session, job, prefer, deeds)
    if node.driver.is_running() and _follows_nobody(node):
        # Somebody started it after it was brought back and before it was told whom to follow.
        node.driver.stop(limit_s=fork.STOP_LIMIT_S)
    if not node.driver.is_running():
        node.driver.set_recovery(fork.follow(active, node), standby=True)
        node.driver.start(limit_s=fork.START_LIMIT_S)
    if not follows(node, session):
        return Pending(f"{node.colour} catches up as a standby")
    _settle(node, session, job)
    return Done(f"{node.colour} is the standing standby of {active.colour}")


def _follows_nobody(node: Node) -> bool:
    with node.session(database=SERVER_DATABASE) as session:
        return bool(session.value("SELECT current_setting('primary_conninfo') = ''"))


def check_serves(session: Session, active: Node) -> None:
    """Raises Broken when the side that is to stay is fenced: then the other one serves."""
    if session.value(IS_FENCED):
        raise Broken(
            f"expected {active.colour} to serve before the other side is given up, found it"
            " fenced; nothing was changed",
            remedy="`bluegreen proxy status` shows which side serves",
        )


def streams(node: Node, active: Session) -> bool:
    """Whether the server reads the active side's WAL through its own slot right now."""
    if not node.driver.is_running():
        return False
    with node.session(database="postgres") as session:
        if not session.value(IS_STANDBY):
            return False
    return bool(active.value(SLOT_IS_READ, [STANDBY_SLOTS[node.colour.value]]))


def follows(node: Node, active: Session, *, limit_s: float = STREAMING_LIMIT_S) -> bool:
    """Whether it streams, and replays within moments what the active side has written until now:
    one that cannot read what it is sent asks for it again and again, and streams each time."""
    written = active.value(WRITTEN)
    return holds_within(limit_s, lambda: streams(node, active) and _has_replayed(node, written))


def _has_replayed(node: Node, lsn: str) -> bool:
    with node.session(database=SERVER_DATABASE) as session:
        return bool(session.value(HAS_REPLAYED, [lsn]))


def _deed(way: Way, job: Job) -> str:
    return f"{way}-{job.id}"


def is_lost(node: Node, active: Session) -> bool:
    """Whether a server that runs can never follow again: what it needs is gone on the active
    side. Raises Broken when it is no standby at all."""
    with node.session(database="postgres") as session:
        if not session.value(fork.IN_RECOVERY):
            raise Broken(
                f"expected {node.colour} to be a standby, found a writable server; nothing of it"
                " was touched",
                remedy="see what is on it; stop it, and it is made a standby anew",
            )
    return bool(active.value(SLOT_IS_GONE, [STANDBY_SLOTS[node.colour.value]]))


def is_being_made(node: Node, job: Job) -> bool:
    """Whether a rewind or a copy was begun for it in this job."""
    return any(node.driver.look_at_deed(_deed(way, job)).state != "absent" for way in WAYS)


def _bring_back(
    node: Node,
    active: Node,
    session: Session,
    job: Job,
    prefer: Way | None,
    deeds: Mapping[Way, DeedState],
) -> Pending:
    """Start the deed, or say how far it is; none of `deeds` has succeeded."""
    for way, deed in deeds.items():
        if deed.state == "running":
            return Pending(f"{way} of {node.colour}: {deed.last_line}", deed.progress)
    rewind, copy = deeds["rewind"], deeds["copy"]
    if copy.state == "failed":
        node.driver.forget_deed(_deed("rewind", job))
        node.driver.forget_deed(_deed("copy", job))
        raise Transient(
            f"expected a base backup of {active.colour} for {node.colour}, found:"
            f" {copy.last_line}; it is tried again"
        )
    node.driver.set_access("closed")
    calm_stop.write_out(node)
    node.driver.stop(limit_s=fork.STOP_LIMIT_S)
    chosen: Way = "copy" if rewind.state == "failed" else prefer or _cheaper(session, job)
    _start(chosen, node, active, job)
    return Pending(f"{chosen} of {node.colour} from {active.colour}")


def _cheaper(session: Session, job: Job) -> Way:
    known = Fork.maybe(job)
    row = session.row(COST, [known.fork_lsn if known else None, GUARD])
    assert row is not None  # an aggregate without GROUP BY always has one
    return Cost(*row).cheaper()


def _start(way: Way, node: Node, active: Node, job: Job) -> None:
    if way == "rewind":
        source = active.replication_conninfo(database=SERVER_DATABASE)
        node.driver.start_deed(
            _deed(way, job), "pg_rewind", ["--source-server", source, "--progress"]
        )
        return
    node.driver.start_deed(
        _deed(way, job),
        "pg_basebackup",
        [
            "--dbname", active.replication_conninfo(database=None),
            "--slot", STANDBY_SLOTS[node.colour.value],
            "--wal-method", "stream", "--checkpoint", "spread", "--progress",
        ],
    )  # fmt: skip


def _settle(node: Node, active: Session, job: Job) -> None:
    """Leave nothing of the way here: deeds, guards; a standby's door is open."""
    with node.session(database="postgres") as session:
        fork.drop_slot(session, GUARD)
    fork.drop_slot(active, GUARD)
    node.driver.forget_deed(_deed("rewind", job))
    node.driver.forget_deed(_deed("copy", job))
    node.driver.set_access("open")
