"""An active server, its standby and the pooled door, and the steps of risky jobs on them.

The steps are the agents' own, in the order of the recipe; what is left out is what watches the
host and the queue. One job follows the other, and the roles swap with each.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

from shared.adapters.companion import companion
from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.drivers.remote_driver import addressed_nodes
from shared.adapters.pooler.pgbouncer import PgBouncer
from shared.adapters.postgres import PostgresNode
from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.domain.migration import Job
from shared.domain.objects import AGENT_ROLES
from shared.mapping.model import Mapping
from shared.mapping.prepare import settle_source
from shared.ports import Done, Pending, Step
from shared.runner import forward
from shared.settings import Settings
from shared.sql.fingerprint import FINGERPRINT
from tests.corpus.case import Shape
from tests.support.cluster import Server
from tests.support.cutover_switch import order, switched
from tests.support.ladder import ladder, left_over
from tests.support.pair import Pair
from tests.support.sides import BLUE, GREEN
from tests.support.steps import done
from tests.support.validator_node import Remembered
from tests.support.wait import until
from workers.proxy_agent.attempt import Way
from workers.proxy_agent.companions import watchdogs
from workers.proxy_agent.switch import Switch, Switched
from workers.replicator.background import Background
from workers.replicator.short_pause import PAUSE_GUARD, ShortPause
from workers.replicator.steps.finish import Finish
from workers.replicator.steps.rederive import Rederive
from workers.replicator.steps.restore_standby import RestoreStandby
from workers.validator.progress import Progress
from workers.validator.steps.compare_rows import CompareRows

STEP_LIMIT_S = 240.0
SWITCH_LIMIT_S = 120.0
BARRIER_LIMIT_S = 60.0
MAX_STALL_MS = 5000.0
"""Correctness is looked at here; with dozens of tables on a busy host the time says nothing."""
OWN_SCHEMAS = """
SELECT quote_ident(nspname) FROM pg_namespace WHERE pg_get_userbyid(nspowner) = 'app' ORDER BY 1
"""


@dataclass
class Stage:
    servers: Pair
    settings: Settings
    at_rest: object
    """Fingerprint of the database before anybody had anything in it."""
    source: Colour = BLUE
    """Serves in the old shape, when a job begins."""
    jobs: int = 0
    job: Job | None = None
    steps: dict[str, Step] = field(default_factory=dict)
    comparisons: Remembered = field(default_factory=Remembered)
    barriers: int = 0

    @property
    def target(self) -> Colour:
        return self.source.other

    @property
    def shapes(self) -> dict[str, Shape]:
        """cluster_name of a server: the shape in which it serves."""
        return {self.source.value: "old", self.target.value: "new"}

    @property
    def dsn(self) -> str:
        """The application's, through the pooled door."""
        return f"host=127.0.0.1 port={self.settings.pooler.port} dbname=app user=app"

    def server(self, colour: Colour) -> Server:
        """For what the helpers of the tests ask of a server."""
        port = self.settings.nodes[colour].port
        return Server(self.servers.version, self.servers.root / colour.value, port)

    @property
    def mapping(self) -> Mapping:
        assert self.job is not None
        return Mapping.model_validate(self.job.facts["rehearse"]["mapping"])

    def rehearse(self, file: str, **options: object) -> None:
        job = self.servers.rehearsed(file, self.source)
        options = {"max_stall_ms": MAX_STALL_MS, **options}
        self.jobs += 1
        self.job = job.model_copy(
            update={
                "id": f"20261123-{self.jobs:04x}",
                "options": job.options.model_copy(update=options),
            }
        )
        nodes = {
            colour: PostgresNode(
                self.settings, colour, AGENT_ROLES["validator"], self.servers.drivers[colour]
            )
            for colour in Colour
        }
        self.steps = ladder(self.servers.nodes)
        self.steps["compare_rows"] = CompareRows(nodes, self.comparisons)
        pause = ShortPause(PgBouncer(self.settings), partial(companion, PAUSE_GUARD))
        self.steps["rederive"] = Rederive(self.servers.nodes, Background())
        self.steps["finish"] = Finish(self.servers.nodes, pause)
        self.steps["restore_standby"] = RestoreStandby(self.servers.nodes)

    def climb(self) -> None:
        """Up to a green that follows."""
        for name in ("freeze_schema", "create_green", "apply_migration", "subscribe", "catch_up"):
            self.do(name)

    def do(self, name: str) -> None:
        assert self.job is not None
        done(self.steps[name], self.job, limit_s=STEP_LIMIT_S)

    def compare(self) -> Progress:
        """A comparison from its beginning. Raises Broken where rows differ."""
        assert self.job is not None
        self.comparisons.forget(self.job.id)
        step = self.steps["compare_rows"]
        answer: Done | Pending = Pending("not begun")
        for _ in range(200):
            answer = forward(step, self.job)
            if isinstance(answer, Done):
                found = self.comparisons.find(self.job.id)
                assert found is not None
                return Progress.model_validate(found)
        raise AssertionError(f"expected a verdict within 200 looks, found {answer}")

    def switch(self, way: Way) -> Switched:
        """The cutover's own routine; the streams stay, whichever way it goes."""
        assert self.job is not None
        old = self.source if way is Way.FORWARD else self.target
        asked = order(way, old, returning=True, max_stall_ms=MAX_STALL_MS)
        asked = replace(asked, job=self.job.id)
        return switched(self._switch(), asked, limit_s=SWITCH_LIMIT_S)

    def settle(self) -> None:
        """What a rollback does on the source in peace."""
        for statement in settle_source(self.mapping):
            self.servers.run(self.source, statement, user="bg_replicator")

    def rest(self) -> list[str]:
        """After `finish`, with nobody writing: the old side becomes the standby, the cases' schemas
        go, and the roles are swapped. What is found of the job then, in words."""
        self.do("restore_standby")
        self.source = self.target
        for (schema,) in self.servers.rows(self.source, OWN_SCHEMAS):
            self.servers.run(self.source, f"DROP SCHEMA {schema} CASCADE")
        left = [str(each) for each in left_over(self.servers, self.source)]
        if self.servers.value(self.source, FINGERPRINT) != self.at_rest:
            left.append("definitions outside of the cases' schemas")
        return left

    def rederive(self) -> None:
        """The step; two sides that meet in a deadlock are no failure: it is repeated."""
        until(self._rederived, limit_s=STEP_LIMIT_S, what="green is blue plus the file again")

    def _rederived(self) -> bool:
        try:
            self.do("rederive")
        except Transient:
            return False
        return True

    def caught_up(self, source: Colour) -> None:
        """Everything committed on `source` so far is on the other side."""
        self.barriers += 1
        token = f"corpus {self.barriers}"
        self.servers.run(source, f"SELECT bluegreen.write_marker('{token}')")
        arrived = f"SELECT 1 FROM bluegreen_job.marker WHERE token = '{token}'"
        until(
            lambda: self.servers.value(source.other, arrived),
            limit_s=BARRIER_LIMIT_S,
            what=f"{source.other} has what {source} has",
        )

    def all_last_words(self) -> str:
        return "; ".join(f"{colour}: {self.last_words(colour)}" for colour in (BLUE, GREEN))

    def last_words(self, colour: Colour) -> str:
        """The newest errors in that server's log: why apply stopped, if it did."""
        logs = sorted((self.servers.root / colour.value / "logs").glob("*.log"))
        lines = [
            line
            for log in logs
            for line in log.read_text(errors="replace").splitlines()
            if any(word in line for word in ("ERROR", "FATAL"))
            or ("CONTEXT" in line and "WAL redo" not in line)
        ]
        return "; ".join(lines[-6:])

    def _switch(self) -> Switch:
        return Switch(
            nodes=addressed_nodes(self.settings, "bg_proxy"),
            pooler=PgBouncer(self.settings),
            door=SymlinkDoor(self.settings),
            watchdog=watchdogs(self.settings),
        )
