"""Which process of an embedded stack does not do its work, and what brings it back.

`bluegreen up` leaves a stack that is up as it is, and the supervisor starts again what dies. So
what helps depends on what is found: no supervisor, a process that was frozen, one that does not
stay.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.layout import Layout
from shared.adapters.processes import is_frozen


def what_helps(layout: Layout, children: Iterable[str]) -> str:
    """The remedy where one of these does not answer."""
    control = ControlFiles(layout.supervisor)
    if not control.supervisor().is_running:
        return "`bluegreen up` starts the stack again"
    for name in children:
        status = control.status(name)
        if status.is_running and status.pid is not None and is_frozen(status.pid):
            return f"{name} is frozen: `kill -CONT {status.pid}` lets it go on"
    for name in children:
        log = layout.logs / f"{name}.log"
        if control.desired(name) != "running":
            return f"{name} was stopped on purpose: `bluegreen status` says whether a job did it"
        if not control.status(name).is_running:
            return f"{name} does not stay up, though it is started again: {log} says why"
    logs = ", ".join(str(layout.logs / f"{name}.log") for name in children)
    return f"it runs, and does not answer: {logs} may say why"
