"""The replicator's process: the steps that change the servers."""

from __future__ import annotations

from collections.abc import Sequence

from shared.adapters.celery_shell import make_worker
from shared.adapters.control.comparison_store import RehearsalStore
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.node_factory import make_nodes
from shared.adapters.rehearsal import room_of
from shared.domain.objects import AGENT_ROLES
from shared.ports import Step
from shared.settings import Settings
from workers.replicator.background import Background
from workers.replicator.steps.apply_migration import ApplyMigration
from workers.replicator.steps.catch_up import CatchUp
from workers.replicator.steps.create_green import CreateGreen
from workers.replicator.steps.freeze_schema import FreezeSchema
from workers.replicator.steps.pause_standby_replay import PauseStandbyReplay
from workers.replicator.steps.rehearse import Rehearse
from workers.replicator.steps.restore_standby import RestoreStandby
from workers.replicator.steps.subscribe import Subscribe


def build_steps(settings: Settings) -> Sequence[Step]:
    nodes = make_nodes(settings, AGENT_ROLES["replicator"])
    background = Background()
    rooms = {colour: room_of(settings, colour) for colour in nodes}
    store = RehearsalStore(ControlDatabase(settings, application_name="bluegreen/rehearsals"))
    return (
        Rehearse(rooms, store),
        FreezeSchema(nodes),
        CreateGreen(nodes),
        ApplyMigration(nodes, background),
        Subscribe(nodes),
        CatchUp(nodes, background),
        RestoreStandby(nodes),
        PauseStandbyReplay(nodes),
    )


app = make_worker("replicator", build_steps)
