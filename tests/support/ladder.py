"""The replicator's steps up to the cutover, in their order, on a pair of real servers."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.environment import Colour
from shared.domain.migration import Job
from shared.domain.objects import STANDBY_SLOTS
from shared.ports import Database, Node, Step
from tests.support.pair import Pair
from tests.support.sides import Sides
from tests.support.steps import done, undone
from workers.replicator.background import Background
from workers.replicator.copy_green import CopyGreen
from workers.replicator.steps.apply_migration import ApplyMigration
from workers.replicator.steps.catch_up import CatchUp
from workers.replicator.steps.create_green import CreateGreen
from workers.replicator.steps.freeze_schema import FreezeSchema
from workers.replicator.steps.subscribe import Subscribe

NAMES = ("freeze_schema", "create_green", "apply_migration", "subscribe", "catch_up")
SLOTS = "SELECT slot_name::text FROM pg_replication_slots"
LEFT_OVER = """
SELECT 'publication ' || pubname FROM pg_publication
UNION ALL SELECT 'subscription ' || subname FROM pg_subscription
UNION ALL SELECT 'event trigger ' || evtname FROM pg_event_trigger
UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgname LIKE '~bluegreen%'
UNION ALL SELECT 'column ' || attname FROM pg_attribute WHERE attname LIKE 'bluegreen~_%' ESCAPE '~'
UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname = 'bluegreen_job'
UNION ALL SELECT 'fenced ' || name FROM bluegreen.fenced_role
UNION ALL SELECT 'nologin ' || rolname FROM pg_roles WHERE rolname = 'app' AND NOT rolcanlogin
UNION ALL SELECT 'database ' || datname FROM pg_database
    WHERE datname NOT IN ('postgres', 'app', 'template0', 'template1')
"""


def ladder(
    nodes: Mapping[Colour, Node], databases: Mapping[Colour, Database] | None = None
) -> dict[str, Step]:
    """`databases` are read where green is copied."""
    background = Background()
    steps: list[Step] = [
        FreezeSchema(nodes),
        CreateGreen(nodes, CopyGreen(nodes, databases or {}, background)),
        ApplyMigration(nodes, background),
        Subscribe(nodes),
        CatchUp(nodes, background),
    ]
    return {step.name: step for step in steps}


def steps_of(servers: Sides) -> dict[str, Step]:
    return ladder(servers.nodes, servers.databases)


def climb(servers: Sides, job: Job, *, before: str = "") -> None:
    """Do every step, or those before the one named."""
    for name, step in steps_of(servers).items():
        if name == before:
            return
        done(step, job)


def descend(servers: Sides, job: Job) -> None:
    """Undo every step, also those that were never done."""
    for step in reversed(steps_of(servers).values()):
        undone(step, job)


def left_over(servers: Pair, active: Colour = Colour.BLUE) -> list[object]:
    """What differs from the resting state, in words: empty when the pair rests."""
    found = [row[0] for row in servers.rows(active, LEFT_OVER)]
    slots = [row[0] for row in servers.rows(active, SLOTS)]
    found += [f"slot {slot}" for slot in slots if slot != STANDBY_SLOTS[active.other.value]]
    found += [f"slot {row[0]} on the standby" for row in servers.rows(active.other, SLOTS)]
    if not servers.is_standby(active.other):
        found.append(f"{active.other} is no standby")
    found += [
        f"{colour} is closed" for colour in Colour if servers.drivers[colour].access() != "open"
    ]
    return found
