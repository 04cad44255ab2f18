"""The compose stack as tests use it: an engine, the images, `up`, and the way in.

On a machine that reaches no container registry `tests/support/docker-here` starts an engine and
makes stand-in images under the same names; so the very same files are built and run.
Set BLUEGREEN_E2E_KEEP=1 to leave the stack and the engine for the next run, which takes them up
again; the ports then have to be set as well (.env.example).
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from shared.adapters.compose.inventory import IDENTITIES
from shared.adapters.compose.stack_settings import Choices, settings_for
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.store import PostgresControlStore
from shared.settings import Settings
from tests.support.journey import Journey, Said

ROOT = Path(__file__).parents[2]
DOCKER_HERE = ROOT / "tests/support/docker-here"
FILE = ROOT / "docker-compose.migrations.yml"
ARTEFACTS = ROOT / "build/e2e"
PORTS = {"app": "BLUEGREEN_POOLED_PORT", "direct": "BLUEGREEN_DIRECT_PORT"}
CONTROLLER = "migration-controller"
IMAGES_LIMIT_S, BUILD_LIMIT_S, UP_LIMIT_S = 900, 600, 240


def run(
    words: Sequence[str],
    environment: dict[str, str],
    *,
    limit_s: float,
    feed: str | None = None,
    folder: Path = ROOT,
) -> Said:
    found = subprocess.run(
        list(words), capture_output=True, text=True, check=False, timeout=limit_s,
        env=environment, input=feed, cwd=folder,
    )  # fmt: skip
    return Said(found.returncode, found.stdout, found.stderr)


def engine_environment() -> dict[str, str]:
    """Start or find an engine with its images; what a process needs in order to talk to it.

    Fails, and does not skip, where there is none: a stack that was not run is not shown to run.
    """
    environment = dict(os.environ)
    for words in (["engine"], ["images", str(FILE), str(ROOT / "compose/parts.yml"),
                               str(ROOT / "compose/Dockerfile"),
                               str(ROOT / "tests/e2e/browser/Dockerfile")]):  # fmt: skip
        said = run([str(DOCKER_HERE), *words], environment, limit_s=IMAGES_LIMIT_S)
        assert said.code == 0, said.err
    said = run([str(DOCKER_HERE), "env"], environment, limit_s=60)
    for line in said.out.splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        environment[name] = "".join(shlex.split(value)).replace("$PATH", environment["PATH"])
    host = environment.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    environment["DOCKER_SOCKET"] = host.removeprefix("unix://")
    return environment


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


@dataclass
class ComposeStack:
    environment: dict[str, str]
    folder: Path
    """For files of this test run: the authority's certificate, DSNs."""
    project: str = "bluegreen-e2e"
    figures: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pooled, direct, flower = free_ports(3)
        self.environment = {
            "BLUEGREEN_POOLED_PORT": str(pooled),
            "BLUEGREEN_DIRECT_PORT": str(direct),
            "BLUEGREEN_FLOWER_PORT": str(flower),
            **self.environment,
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_FILE": str(FILE),
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
        return self.compose("exec", "-T", service, *words, limit_s=limit_s, feed=feed)

    def sql(self, service: str, query: str, database: str = "app") -> str:
        """As the administrator, inside the container of that server."""
        said = self.execute(service, "psql", "-U", "postgres", "-d", database, "-XAtc", query)
        assert said.code == 0, said.err
        return said.out.strip()

    def build(self) -> None:
        said = self.compose("build", limit_s=BUILD_LIMIT_S)
        assert said.code == 0, said.err
        self.figures["imageBytes"] = self.image_bytes()

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

    def container(self, service: str) -> str:
        """Its id."""
        said = self.compose("ps", "-aq", service)
        assert said.out.strip(), f"no container of {service}"
        return said.out.split()[0]

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
                           self.container(service))  # fmt: skip
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

    @property
    def store(self) -> PostgresControlStore:  # type: ignore[override]
        """Made anew for each look: a container may have come back with another address."""
        database = ControlDatabase(self.compose.settings, application_name="test")
        return PostgresControlStore(database)

    def bluegreen(self, *words: str, limit_s: float = 240) -> Said:
        return self.compose.execute(CONTROLLER, "bluegreen", *words, limit_s=limit_s)

    def write(self, name: str, sql: str) -> Path:
        """In the controller, where it is run."""
        path = f"/tmp/{name}"
        said = self.compose.execute(CONTROLLER, "sh", "-c", f"cat > {path}", feed=sql)
        assert said.code == 0, said.err
        return Path(path)


@contextmanager
def running_compose_stack(folder: Path) -> Iterator[ComposeStack]:
    """Built, up and healthy; gone at the end, with the engine if we started it."""
    keep = bool(os.environ.get("BLUEGREEN_E2E_KEEP"))
    try:
        stack = ComposeStack(engine_environment(), folder)
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
    finally:
        if not keep:
            run([str(DOCKER_HERE), "down"], dict(os.environ), limit_s=180)
