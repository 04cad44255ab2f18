"""The replicator's process: the steps that change the servers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from shared.adapters.companion import SpareCompanion
from shared.adapters.control.comparison_store import RehearsalStore
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.drivers.node_factory import make_nodes
from shared.adapters.pooler.poolers import poolers_of
from shared.adapters.queue.celery_shell import make_worker, run_beside
from shared.adapters.rehearsal.rehearsal import role_for, room_of
from shared.adapters.schema.definitions import DumpedDatabase
from shared.domain.migration import Job
from shared.domain.objects import AGENT_ROLES
from shared.ports import Session, Step
from shared.settings import Settings, load
from shared.sql.parse import statements
from workers.replicator.background import Background
from workers.replicator.batches import Batches
from workers.replicator.caretaker import Caretaker
from workers.replicator.copy_green import CopyGreen
from workers.replicator.left_behind import LeftBehind
from workers.replicator.promotion import Promotion
from workers.replicator.short_pause import PAUSE_GUARD, ShortPause
from workers.replicator.steps.apply_migration import ApplyMigration
from workers.replicator.steps.apply_on_active import ApplyOnActive
from workers.replicator.steps.catch_up import CatchUp
from workers.replicator.steps.create_green import CreateGreen
from workers.replicator.steps.finish import Finish
from workers.replicator.steps.freeze_schema import FreezeSchema
from workers.replicator.steps.pause_standby_replay import PauseStandbyReplay
from workers.replicator.steps.rederive import Rederive
from workers.replicator.steps.rehearse import Rehearse
from workers.replicator.steps.restore_standby import RestoreStandby
from workers.replicator.steps.subscribe import Subscribe
from workers.replicator.stream_keeper import StreamKeeper


def role_of(settings: Settings, session: Session, job: Job) -> str:
    """The role that a file runs as where it was not rehearsed."""
    return settings.migration_role or role_for(session, statements(job.sql))


def build_steps(settings: Settings) -> Sequence[Step]:
    nodes = make_nodes(settings, AGENT_ROLES["replicator"])
    background = Background()
    rooms = {colour: room_of(settings, colour) for colour in nodes}
    databases = {colour: DumpedDatabase.of(settings, colour) for colour in nodes}
    pooler = poolers_of(settings)
    pause = ShortPause(pooler, guards.taken)
    promotion = Promotion(nodes, pooler, SymlinkDoor(settings))
    store = RehearsalStore(
        ControlDatabase(settings, application_name="bluegreen/rehearsals", agent="replicator")
    )
    return (
        Rehearse(rooms, store),
        FreezeSchema(nodes),
        CreateGreen(nodes, CopyGreen(nodes, databases, background)),
        ApplyMigration(nodes, background),
        Subscribe(nodes),
        CatchUp(nodes, background),
        Rederive(nodes, background),
        Finish(nodes, pause),
        RestoreStandby(nodes),
        ApplyOnActive(
            nodes, background, pause, partial(role_of, settings), promotion, Batches(nodes, pooler)
        ),
        PauseStandbyReplay(nodes),
    )


def has_live_job(control: ControlDatabase) -> bool:
    with control.session() as session:
        return bool(session.value(LIVE))


def live_job(control: ControlDatabase) -> str | None:
    """Id of the risky job that is live."""
    with control.session() as session:
        found = session.value(LIVE_RISKY)
    return None if found is None else str(found)


LIVE = "SELECT EXISTS (SELECT FROM bluegreen_control.job WHERE ended_at IS NULL)"
LIVE_RISKY = """
SELECT id FROM bluegreen_control.job WHERE ended_at IS NULL AND kind = 'risky' LIMIT 1
"""
guards = SpareCompanion(PAUSE_GUARD)
settings = load(os.environ)
nodes = make_nodes(settings, AGENT_ROLES["replicator"])
beside = ControlDatabase(settings, application_name="bluegreen/caretaker", agent="replicator")
caretaker = Caretaker(nodes, settings.database, partial(has_live_job, beside))
left_behind = LeftBehind(
    nodes, partial(has_live_job, beside), lambda: load(os.environ).retention.job_days
)
stream_keeper = StreamKeeper(nodes, partial(live_job, beside))
app = make_worker("replicator", build_steps)
guards.prepare()
run_beside(app, "caretaker", caretaker.run)
run_beside(app, "left-behind", left_behind.run)
run_beside(app, "stream-keeper", stream_keeper.run)
