"""The schema is what migrations made it: nobody changed it by hand, and both sides agree.

At rest it is compared with the mark that was kept when the last job ended; while DDL is frozen,
with what was frozen. `bluegreen baseline update` accepts a change that was made by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.adapters.control.schema_store import SchemaStore
from shared.adapters.health.kept_session import KeptSession
from shared.adapters.health.server_state import ServerState
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError
from shared.domain.health import CheckResult
from shared.ports import Session
from shared.sql.fingerprint import FINGERPRINT

NAME = "schema.consistent"
_ON_STANDBY = "SELECT pg_is_wal_replay_paused()"
CAUGHT_UP_BYTES = 1 << 16


def fingerprint(session: Session) -> str:
    return str(session.value(FINGERPRINT))


@dataclass
class SchemaCheck:
    sessions: Mapping[Colour, KeptSession]
    store: SchemaStore
    database: str

    def look(self, states: Mapping[Colour, ServerState]) -> CheckResult | None:
        """None while it cannot be told. Raises Transient without the control database."""
        active = [colour for colour, state in states.items() if state.takes_writes]
        if len(active) != 1:
            return None
        try:
            found = self.sessions[active[0]].ask(fingerprint)
        except MigrationError:
            return None
        work = self.store.work(self.database)
        if work.job is not None:
            return _under_work(work.job, work.frozen, found)
        mark = self.store.mark(self.database, found, since=work.last_ended_at)
        if mark.fingerprint != found:
            return CheckResult(
                NAME,
                False,
                f"the schema of {active[0]} was changed outside of a migration since "
                f"{mark.at:%F %H:%M} UTC; `bluegreen baseline update` accepts it",
            )
        return self._of_the_pair(active[0], states, found)

    def _of_the_pair(
        self, active: Colour, states: Mapping[Colour, ServerState], found: str
    ) -> CheckResult:
        standby, well = active.other, CheckResult(NAME, True, "the schema is as it was left")
        if standby not in states or not states[standby].in_recovery:
            return well
        replicas = states[active].replicas
        if not replicas or max(replica.lag_bytes for replica in replicas) > CAUGHT_UP_BYTES:
            return well
        try:
            other = self.sessions[standby].ask(
                lambda it: None if it.value(_ON_STANDBY) else fingerprint(it)
            )
        except MigrationError:
            return well
        if other in (None, found):
            return well
        return CheckResult(NAME, False, f"{standby} follows {active} and has another schema")


def _under_work(job: str, frozen: str | None, found: str) -> CheckResult:
    if frozen is not None and frozen != found:
        return CheckResult(
            NAME, False, f"somebody changed the schema while job {job} has it frozen", "critical"
        )
    return CheckResult(NAME, True, f"job {job} is at work on the schema")
