"""What `celery --app` wants for Flower: our application, for the stack that is named."""

from __future__ import annotations

import os
from typing import Any

from celery.app.control import Control

from shared.adapters.queue.celery_app import celery_app
from shared.settings import load


class Mute(Control):  # type: ignore[misc]
    """Flower looks. It wakes no worker and asks none: whoever may broadcast may shut down."""

    def broadcast(self, *_: Any, **__: Any) -> None:
        """Nobody is told."""


app = celery_app(load(os.environ))
app.control_cls = Mute
# It reads events and takes no command: what a dead worker had taken is not its to give back.
app.conf.broker_transport_options |= {
    f"{name}_key": f"flower_{name}" for name in ("unacked", "unacked_index", "unacked_mutex")
}
