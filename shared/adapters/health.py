"""Every health check, once: for `bluegreen health` and for the monitor that repeats it.

A check that cannot be made is a result that is not healthy; none keeps another from being made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from shared.adapters.control.connection import ControlDatabase
from shared.adapters.health_servers import check_servers
from shared.adapters.health_services import (
    check_control,
    check_direct_door,
    check_pooled_door,
    check_pooler,
    check_redis,
)
from shared.domain.health import CheckResult
from shared.settings import Settings

THREADS = 8


def check_all(settings: Settings, database: ControlDatabase | None = None) -> list[CheckResult]:
    """All checks at the same time, in the order in which people read them.

    Takes as long as the slowest: under a second when all is well, about 4 s at worst.
    """
    control = database or ControlDatabase(settings, application_name="bluegreen/health")
    with ThreadPoolExecutor(THREADS, thread_name_prefix="health") as pool:
        checks: list[Callable[[], Iterable[CheckResult]]] = [
            partial(check_servers, settings, pool),
            partial(check_pooled_door, settings),
            partial(check_direct_door, settings),
            partial(check_pooler, settings),
            partial(check_redis, settings),
            partial(check_control, settings, control),
        ]
        asked = [pool.submit(_made, check) for check in checks]
        return [result for future in asked for result in future.result()]


def _made(check: Callable[[], Iterable[CheckResult]]) -> list[CheckResult]:
    return list(check())
