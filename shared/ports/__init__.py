"""What the world must offer to the steps: Protocols only. The adapters keep these promises.

A step names the ports it uses in its fields and gets nothing else; tests hand it fakes or the
real thing. Every call has a limit, and raises only errors of shared/domain/errors.py.
"""

from shared.ports.control import ControlStore, HistoryRecord, JobRecord, StepRecord
from shared.ports.definitions import Database, Definitions
from shared.ports.doors import Companion, DirectDoor, Door, Pooler, PoolTraffic
from shared.ports.failover import Commit, Fencing
from shared.ports.news import Alerts, Bus
from shared.ports.records import (
    Comparisons,
    Observations,
    RehearsalRoom,
    Rehearsals,
    RehearsedFile,
    Switches,
    SwitchRecord,
)
from shared.ports.rollback_points import RollbackPoints
from shared.ports.servers import (
    DeedState,
    HostLoad,
    Measuring,
    Node,
    NodeDriver,
    Row,
    Session,
)
from shared.ports.steps import Done, Looking, Pending, Recalling, Step
from shared.saga.events import Steering

__all__ = [
    "Alerts",
    "Bus",
    "Commit",
    "Companion",
    "Comparisons",
    "ControlStore",
    "Database",
    "DeedState",
    "Definitions",
    "DirectDoor",
    "Done",
    "Door",
    "Fencing",
    "HistoryRecord",
    "HostLoad",
    "JobRecord",
    "Looking",
    "Measuring",
    "Node",
    "NodeDriver",
    "Observations",
    "Pending",
    "PoolTraffic",
    "Pooler",
    "Recalling",
    "RehearsalRoom",
    "Rehearsals",
    "RehearsedFile",
    "RollbackPoints",
    "Row",
    "Session",
    "Steering",
    "Step",
    "StepRecord",
    "SwitchRecord",
    "Switches",
]
