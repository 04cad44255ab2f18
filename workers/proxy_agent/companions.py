"""The processes that stand beside a cutover, each told the settings first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from typing import Any

from shared.adapters.companion import companion
from shared.ports import Companion
from shared.settings import Settings
from workers.proxy_agent.attempt import Attempt

WATCHDOG = "workers.proxy_agent.watchdog"
PROBE = "shared.adapters.doors.probe"


def watchdogs(settings: Settings) -> Callable[[Attempt], AbstractContextManager[Companion]]:
    """How the switch starts its watchdog. Settings hold no secrets, they name files."""

    def start(attempt: Attempt) -> AbstractContextManager[Companion]:
        return _started(WATCHDOG, settings, attempt=asdict(attempt))

    return start


def probes(settings: Settings) -> Callable[[], AbstractContextManager[Companion]]:
    """How a probe through the pooled door is started."""
    return lambda: _started(PROBE, settings)


@contextmanager
def _started(module: str, settings: Settings, **more: Any) -> Iterator[Companion]:
    with companion(module) as process:
        process.say({"settings": settings.model_dump(mode="json"), **more})
        yield process
