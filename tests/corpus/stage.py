"""An active server, its standby and the pooled door, and the steps of one risky job on them.

The steps are the agents' own, in the order of the recipe; what is left out is what watches the
host and the queue.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from shared.adapters.companion import companion
from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.drivers.remote_driver import addressed_nodes
from shared.adapters.pooler.pgbouncer import PgBouncer
from shared.adapters.pooler.route_file import route_text
from shared.adapters.postgres import PostgresNode
from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.domain.migration import Job
from shared.domain.objects import AGENT_ROLES
from shared.mapping.model import Mapping
from shared.mapping.prepare import settle_source
from shared.ports import Done, Pending, Step
from shared.runner import forward
from shared.settings import DoorSettings, NodeSettings, PoolerSettings, Settings
from tests.support.cluster import Server, free_port
from tests.support.cutover_world import order, switched
from tests.support.ladder import ladder
from tests.support.pair import BLUE, GREEN, Pair, pair
from tests.support.pooler import pgbouncer
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
from workers.validator.progress import Progress
from workers.validator.steps.compare_rows import CompareRows

STEP_LIMIT_S = 240.0
SWITCH_LIMIT_S = 120.0
BARRIER_LIMIT_S = 60.0
MAX_STALL_MS = 5000.0
"""Correctness is looked at here; with dozens of tables on a busy host the time says nothing."""
RIGHTS = "ALTER ROLE bg_validator BYPASSRLS; GRANT pg_read_all_data, pg_monitor TO bg_validator"


@dataclass
class Stage:
    servers: Pair
    settings: Settings
    job: Job | None = None
    steps: dict[str, Step] = field(default_factory=dict)
    comparisons: Remembered = field(default_factory=Remembered)
    barriers: int = 0

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
        job = self.servers.rehearsed(file)
        options = {"max_stall_ms": MAX_STALL_MS, **options}
        self.job = job.model_copy(update={"options": job.options.model_copy(update=options)})
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
        old = BLUE if way is Way.FORWARD else GREEN
        asked = order(way, old, returning=True, max_stall_ms=MAX_STALL_MS)
        return switched(self._switch(), asked, limit_s=SWITCH_LIMIT_S)

    def settle(self) -> None:
        """What a rollback does on the source in peace."""
        for statement in settle_source(self.mapping):
            self.servers.run(BLUE, statement, user="bg_replicator")

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


@contextmanager
def stage(version: int) -> Iterator[Stage]:
    with ExitStack() as stack:
        servers = stack.enter_context(pair(version))
        root = Path(tempfile.mkdtemp(prefix="bluegreen-corpus-"))
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        root.chmod(0o755)
        for name in ("app", "bg_pooler_admin", "postgres"):
            (servers.settings.secrets_dir / name).write_text("trusted")
        settings = _with_doors(servers, root)
        servers.settings = settings
        servers.run(BLUE, RIGHTS)
        settings.pooler.route_file.write_text(route_text("app", settings.nodes[BLUE]))
        blue = settings.nodes[BLUE]
        settings.doors.direct_link.symlink_to(servers.root / "blue" / f".s.PGSQL.{blue.port}")
        stack.enter_context(_told_to_companions(settings, root))
        stack.enter_context(pgbouncer(root, settings.pooler.port, settings.pooler.route_file))
        yield Stage(servers, settings)


@contextmanager
def _told_to_companions(settings: Settings, root: Path) -> Iterator[None]:
    """Processes beside us read the settings where the environment says."""
    path = root / "stack.json"
    path.write_text(settings.model_dump_json())
    before = os.environ.get("BLUEGREEN_CONFIG")
    os.environ["BLUEGREEN_CONFIG"] = str(path)
    try:
        yield
    finally:
        del os.environ["BLUEGREEN_CONFIG"]
        if before is not None:
            os.environ["BLUEGREEN_CONFIG"] = before


def _with_doors(servers: Pair, root: Path) -> Settings:
    port = free_port()
    nodes = {
        colour: NodeSettings(
            **node.model_dump(exclude={"socket_dir"}),
            socket_dir=servers.root / colour.value,
        )
        for colour, node in servers.settings.nodes.items()
    }
    return servers.settings.model_copy(
        update={
            "nodes": nodes,
            "pooler": PoolerSettings(host="127.0.0.1", port=port, route_file=root / "route.ini"),
            "doors": DoorSettings(
                host="127.0.0.1", pooled_port=port, direct_port=1, direct_link=root / "active.sock"
            ),
        }
    )
