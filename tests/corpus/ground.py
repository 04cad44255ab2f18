"""The servers on which jobs of one version are played, from one job to the next.

A job that was sound has brought its pair to rest, and the next one begins there with the roles
swapped, as in production. After any other job they are thrown away: what comes next shall not
suffer from what went wrong before.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from shared.adapters.pooler.route_file import route_text
from shared.settings import DoorSettings, NodeSettings, PoolerSettings, Settings
from shared.sql.fingerprint import FINGERPRINT
from tests.corpus.reference import Reference, reference
from tests.corpus.stage import Stage
from tests.support.cluster import free_port
from tests.support.pair import Pair, pair
from tests.support.pooler import pgbouncer
from tests.support.sides import BLUE

RIGHTS = "ALTER ROLE bg_validator BYPASSRLS; GRANT pg_read_all_data, pg_monitor TO bg_validator"


@dataclass
class Ground:
    """`with Ground(17) as ground:`; no server stands before the first job asks for them."""

    version: int
    _standing: tuple[Stage, Reference] | None = None
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def ready(self) -> tuple[Stage, Reference]:
        """A pair at rest with the door before it, and a server for the plain run."""
        if self._standing is None:
            here = self._stack.enter_context(stage(self.version))
            self._standing = here, self._stack.enter_context(reference(self.version))
        return self._standing

    def clear(self) -> None:
        """End what stands; the next job gets new servers."""
        self._standing = None
        self._stack.close()


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
        yield Stage(servers, settings, servers.value(BLUE, FINGERPRINT))


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
