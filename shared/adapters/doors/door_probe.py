"""The pooled door as a client sees it: a login and one statement, timed."""

from __future__ import annotations

import time
from dataclasses import dataclass

from shared.adapters.postgres import connect
from shared.domain.objects import AGENT_ROLES
from shared.settings import Settings

ROLE = AGENT_ROLES["health-monitor"]


@dataclass(frozen=True, slots=True)
class PooledDoor:
    """The Door port, through the stable address that applications use."""

    settings: Settings

    def round_trip_ms(self, *, limit_s: float) -> float:
        began = time.perf_counter()
        with connect(
            host=self.settings.doors.host,
            port=self.settings.doors.pooled_port,
            database=self.settings.database,
            user=ROLE,
            password=self.settings.secret(ROLE),
            limit_s=limit_s,
            connect_limit_s=limit_s,
            application_name="bluegreen/probe",
        ) as session:
            session.value("SELECT 1")
        return (time.perf_counter() - began) * 1000
