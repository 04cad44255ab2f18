"""The compose stack as tests use it: an engine, the images, `up`, and the way in.

Set BLUEGREEN_E2E_KEEP=1 to leave the stack and the engine for the next run, which takes them up
again; the ports then have to be set as well (.env.example).
"""

from __future__ import annotations

import json
import os
import ssl
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from shared.adapters.compose.inventory import IDENTITIES
from shared.adapters.compose.stack_settings import Choices, settings_for
from shared.adapters.control.store import PostgresControlStore, control_store
from shared.domain.errors import Transient
from shared.settings import Settings
from tests.support.cluster import free_port
from tests.support.container_engine import ROOT, container_engine, run
from tests.support.journey import Journey, Said

FILE = ROOT / "docker-compose.migrations.yml"
FILES = (FILE, ROOT / "compose/parts.yml", ROOT / "compose/Dockerfile",
         ROOT / "tests/e2e/browser/Dockerfile")  # fmt: skip
"""Their images are pulled, or have a stand-in."""
ARTEFACTS = ROOT / "build/e2e"
PORTS = {"app": "BLUEGREEN_POOLED_PORT", "direct": "BLUEGREEN_DIRECT_PORT"}
CONTROLLER = "migration-controller"
T = TypeVar("T")
BUILD_LIMIT_S, UP_LIMIT_S = 600, 240


@dataclass
class ComposeStack:
    environment: dict[str, str]
    folder: Path
    """For files of this test run: the authority's certificate, DSNs."""
    project: str = "bluegreen-e2e"
    figures: dict[str, Any] = field(default_factory=dict)
    files: tuple[Path, ...] = (FILE,)

    def __post_init__(self) -> None:
        ports = ("BLUEGREEN_POOLED_PORT", "BLUEGREEN_DIRECT_PORT", "BLUEGREEN_FLOWER_PORT")
        self.environment = {
            **{port: str(free_port()) for port in ports},
            **self.environment,
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_FILE": os.pathsep.join(map(str, self.files)),
        }

    def compose(self, *words: str, limit_s: float = 120, feed: str | None = None) -> Said:
        return run(["docker", "compose", *words], self.environment, limit_s=limit_s, feed=feed)

    def docker(self, *words: str, limit_s: float = 60) -> Said:
        return run(["docker", *words], self.environment, limit_s=limit_s)

    def shell(self, script: str, *, limit_s: float = 240, folder: Path = ROOT) -> Said:
        """A line of the guide, as a person would type it."""
        return run(["bash", "-c", script], self.environment, limit_s=limit_s, folder=folder)

    def execute(self, service: str, *words: str, limit_s: float = 240,
                feed: str | None = None) -> Said:  # fmt: skip
        """As `docker compose exec -T` does, which reads the whole file before each."""
        how = ["exec"] if feed is None else ["exec", "-i"]
        words = ("docker", *how, self.name_of(service), *words)
        return run(words, self.environment, limit_s=limit_s, feed=feed)

    def name_of(self, service: str) -> str:
        """Of its first container."""
        return f"{self.project}-{service}-1"

    def runs(self, service: str) -> bool:
        return bool(self.docker("ps", "-q", "--filter", f"name=^{self.name_of(service)}$").out)

    def sql(self, service: str, query: str, database: str = "app") -> str:
        """As the administrator, inside the container of that server."""
        said = self.execute(service, "psql", "-U", "postgres", "-d", database, "-XAtc", query)
        assert said.code == 0, said.err
        return said.out.strip()

    def build(self) -> None:
        said = self.compose("build", limit_s=BUILD_LIMIT_S)
        assert said.code == 0, said.err

    def image_bytes(self) -> int:
        said = self.docker("image", "inspect", "-f", "{{.Size}}", "bluegreen:local")
        assert said.code == 0, said.err
        return int(said.out)

    def up(self, *words: str) -> float:
        """`up -d --wait`; seconds it took."""
        began = time.monotonic()
        said = self.compose("up", "-d", "--wait", *words, limit_s=UP_LIMIT_S)
        assert said.code == 0, f"{said.err[-3000:]}\n{self.complaints()}"
        return time.monotonic() - began

    def down(self, *words: str) -> None:
        said = self.compose("down", "--timeout", "10", *words, limit_s=UP_LIMIT_S)
        assert said.code == 0, said.err

    def complaints(self) -> str:
        """The last words of services that are not healthy."""
        listed = self.compose("ps", "-a", "--format", "{{.Service}} {{.Status}}").out.splitlines()
        bad = [line.split()[0] for line in listed if "(healthy)" not in line and "(0)" not in line]
        return "\n".join(self.compose("logs", "--tail", "15", name).out for name in bad)

    def secret(self, service: str, name: str) -> str:
        said = self.execute(service, "cat", f"/etc/bluegreen/secrets/{name}")
        assert said.code == 0, said.err
        return said.out.strip()

    @cached_property
    def authority(self) -> Path:
        path = self.folder / "ca.crt"
        said = self.execute(CONTROLLER, "cat", "/etc/bluegreen/tls/ca.crt")
        path.write_text(said.out, encoding="utf-8")
        return path

    @cached_property
    def doors(self) -> dict[str, str]:
        """DSNs of the application, from this host: TLS, and the server's name is checked."""
        password = self.secret(CONTROLLER, "app")
        return {
            name: f"postgresql://app:{password}@localhost:{self.environment[port]}/app"
            f"?sslmode=verify-full&sslrootcert={self.authority}"
            for name, port in (
                ("app", "BLUEGREEN_POOLED_PORT"),
                ("direct", "BLUEGREEN_DIRECT_PORT"),
            )
        }

    def flower(self, path: str, *, secret: str = "", method: str = "GET") -> tuple[int, str]:
        """Status and text with which Flower's door answers, over TLS that is checked."""
        port = self.environment["BLUEGREEN_FLOWER_PORT"]
        asked = urllib.request.Request(f"https://localhost:{port}{path}", method=method)
        if method == "POST":
            asked.data = b"{}"
        if secret:
            token = b64encode(f"flower:{secret}".encode()).decode()
            asked.add_header("Authorization", f"Basic {token}")
        trusted = ssl.create_default_context(cafile=str(self.authority))
        try:
            with urllib.request.urlopen(asked, context=trusted, timeout=20) as answer:
                return int(answer.status), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def address(self, service: str) -> str:
        """Its address on a network of the stack, which this host reaches."""
        said = self.docker("inspect", "-f", "{{json .NetworkSettings.Networks}}",
                           self.name_of(service))  # fmt: skip
        assert said.code == 0, said.err
        return str(next(iter(json.loads(said.out).values()))["IPAddress"])

    @property
    def settings(self) -> Settings:
        """Those of the controller, as this host reaches the control database."""
        identity = next(each for each in IDENTITIES if each.service == CONTROLLER)
        found = settings_for(identity, Choices(stack=""))
        place = self.folder / "secrets"
        place.mkdir(exist_ok=True)
        login = found.control.user
        if not (place / login).exists():
            (place / login).write_text(self.secret(CONTROLLER, login), encoding="utf-8")
        control = found.control.model_copy(update={"host": self.address("postgres-control")})
        return found.model_copy(update={"control": control, "secrets_dir": place})

    def note(self, name: str, value: Any) -> None:
        """Keep a figure among the build's artefacts."""
        self.figures[name] = value
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        (ARTEFACTS / "figures.json").write_text(json.dumps(self.figures, indent=1))


class ComposeJourney(Journey):
    """A shop under load on the compose stack, steered from inside migration-controller."""

    def __init__(self, compose: ComposeStack, folder: Path) -> None:
        super().__init__(compose, folder)  # type: ignore[arg-type]
        self.compose = compose

    @property
    def doors(self) -> dict[str, str]:
        return self.compose.doors

    def status(self, job: str) -> dict[str, Any]:
        return self._looking(lambda: super(ComposeJourney, self).status(job))

    def live_jobs(self) -> list[str]:
        """None where the stack is down, as a test may leave it for the next one."""
        if not self.compose.runs("postgres-control"):
            return []
        return [job.id for job in self._looking(lambda: self.store.jobs(live_only=True))]

    def _looking(self, look: Callable[[], T]) -> T:
        """The container may have come back with another address since the last look."""
        try:
            return look()
        except Transient:
            self.__dict__.pop("store", None)
            return look()

    @cached_property
    def store(self) -> PostgresControlStore:
        return control_store(self.compose.settings)

    def bluegreen(self, *words: str, limit_s: float = 240) -> Said:
        return self.compose.execute(CONTROLLER, "bluegreen", *words, limit_s=limit_s)

    def write(self, name: str, sql: str) -> Path:
        """In the controller, where it is run."""
        path = f"/tmp/{name}"
        said = self.compose.execute(CONTROLLER, "sh", "-c", f"cat > {path}", feed=sql)
        assert said.code == 0, said.err
        return Path(path)


@contextmanager
def running_compose_stack(
    folder: Path, *, project: str = ComposeStack.project
) -> Iterator[ComposeStack]:
    """Built, up and healthy; gone at the end, and so is the engine if it was started for this."""
    keep = bool(os.environ.get("BLUEGREEN_E2E_KEEP"))
    with container_engine(FILES, keep=keep) as environment:
        stack = ComposeStack(environment, folder, project)
        try:
            stack.build()
            if not keep:
                stack.down("-v", "--remove-orphans")
            stack.note("imageMegabytes", round(stack.image_bytes() / 1e6))
            stack.note("upSeconds", round(stack.up(), 1))
            yield stack
        finally:
            if not keep:
                stack.down("-v", "--remove-orphans")
