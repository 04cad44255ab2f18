"""The compose stack as its host sees it: programs, engine, files, containers, published ports.

Guarantee   it looks and changes nothing; each look has a limit
Fails with  Transient  the engine does not answer, a service does not run
            Refused    a program or a setting is not what the stack needs; its name is said
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.domain.errors import Refused, Transient

FILE = "docker-compose.migrations.yml"
UP = f"`docker compose -f {FILE} up -d --wait`"
OLDEST_ENGINE, OLDEST_COMPOSE = (25, 0), (2, 20)
_POINTS_TO_HELP = re.compile(r"(Run|See) '.*--help'")
LOOK_LIMIT_S, DOCTOR_LIMIT_S = 30, 120
PROXY, CONTROLLER, KEEPER = "migration-proxy", "migration-controller", "keeper"
PORTS = {
    (PROXY, 6432): "BLUEGREEN_POOLED_PORT",
    (PROXY, 6433): "BLUEGREEN_DIRECT_PORT",
    (PROXY, 5555): "BLUEGREEN_FLOWER_PORT",
    ("postgres-green", 5432): "BLUEGREEN_GREEN_PORT",
}
"""Service and port in its container -> the setting that says where it is published."""


@dataclass(frozen=True, slots=True)
class Port:
    address: str
    number: int
    setting: str
    service: str = PROXY

    def answers(self) -> bool:
        try:
            with socket.create_connection((self.address, self.number), 3):
                return True
        except OSError:
            return False

    def is_free(self) -> bool:
        with socket.socket(socket.AF_INET6 if ":" in self.address else socket.AF_INET) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((self.address, self.number))
            except OSError:
                return False
            return True


@dataclass(frozen=True, slots=True)
class Host:
    folder: Path
    environment: Mapping[str, str]

    def engine(self) -> str:
        """Its version."""
        ended = self._docker("version", "--format", "{{.Server.Version}}")
        if ended.returncode != 0:
            raise Transient(
                f"expected a container engine, found none: {_last_line(ended.stderr)}",
                remedy="start it, or name another one with DOCKER_HOST; `bluegreen up` needs none",
            )
        return _new_enough("Docker Engine", ended.stdout, OLDEST_ENGINE)

    def compose(self) -> str:
        """Its version."""
        ended = self._docker("compose", "version", "--short")
        if ended.returncode != 0:
            raise Refused(
                f"expected Docker Compose, found none: {_last_line(ended.stderr)}",
                remedy="install the plugin docker-compose (Compose 2.20 or newer)",
            )
        return _new_enough("Docker Compose", ended.stdout, OLDEST_COMPOSE)

    def configuration(self) -> Mapping[str, Any]:
        """What Compose makes of the files and `.env`. It names a variable that is missing."""
        ended = self._docker("compose", "config", "--format", "json")
        if ended.returncode != 0:
            raise Refused(
                f"expected settings that Compose accepts, found: {_last_line(ended.stderr)}",
                remedy="mend .env (.env.example has every setting)",
            )
        found: dict[str, Any] = json.loads(ended.stdout)
        return found

    def engine_socket(self) -> Path:
        """That which the keeper mounts."""
        mounts = self.configuration()["services"][KEEPER]["volumes"]
        found = next(Path(m["source"]) for m in mounts if m["target"] == "/var/run/docker.sock")
        if not found.is_socket():
            raise Refused(
                f"expected the engine's socket at {found}, found none",
                remedy="set DOCKER_SOCKET to the path of the socket (`docker context inspect`)",
            )
        return found

    def services(self) -> dict[str, str]:
        """What each container of the stack is: `healthy`, `running`, `exited (2)` …"""
        ended = self._docker("compose", "ps", "--all", "--format", "json")
        if ended.returncode != 0:
            raise Transient(f"expected the list of services, found: {_last_line(ended.stderr)}",
                            remedy=UP)  # fmt: skip
        return dict(_state(json.loads(line)) for line in ended.stdout.splitlines() if line)

    def ports(self) -> list[Port]:
        services = self.configuration()["services"]
        return [
            Port(
                one.get("host_ip") or "127.0.0.1", int(one["published"]),
                PORTS[service, one["target"]], service,
            )
            for service in dict.fromkeys(service for service, _ in PORTS)
            for one in services[service].get("ports", ())
        ]  # fmt: skip

    def doctor_inside(self) -> list[dict[str, Any]]:
        """The checks of `bluegreen doctor` in the controller's container."""
        ended = self._docker("compose", "exec", "-T", CONTROLLER, "bluegreen", "doctor", "--json",
                             limit_s=DOCTOR_LIMIT_S)  # fmt: skip
        try:
            checks: list[dict[str, Any]] = json.loads(ended.stdout)["checks"]
        except (ValueError, KeyError) as error:
            raise Transient(
                f"expected an answer of `bluegreen doctor` in {CONTROLLER}, found: "
                f"{_last_line(ended.stderr)}",
                remedy=UP,
            ) from error
        return checks

    def _docker(
        self, *words: str, limit_s: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        given, limit_s = {**self.environment}, limit_s or LOOK_LIMIT_S
        given.setdefault("COMPOSE_FILE", str(self.folder / FILE))
        try:
            return subprocess.run(
                ["docker", *words], capture_output=True, text=True, check=False, timeout=limit_s,
                env=given, cwd=self.folder, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise Refused(
                "expected the program docker, found none in PATH",
                remedy="install Docker Engine 25 or newer; `bluegreen up` needs no containers",
            ) from error
        except subprocess.TimeoutExpired as error:
            raise Transient(
                f"expected `docker {words[0]}` to answer within {limit_s:.0f} s",
                remedy="see whether the engine is well: `docker info`",
            ) from error


def find_stack(environment: Mapping[str, str]) -> Host | None:
    """The compose stack whose files are here, or which COMPOSE_FILE names."""
    here = Path.cwd()
    first = environment.get("COMPOSE_FILE", FILE).split(os.pathsep)[0]
    file = here / first
    return Host(file.parent, dict(environment)) if file.is_file() else None


def _state(container: Mapping[str, Any]) -> tuple[str, str]:
    state = str(container["State"])
    if state == "exited":
        state = f"exited ({container['ExitCode']})"
    return str(container["Service"]), str(container.get("Health") or state)


def _new_enough(what: str, said: str, oldest: tuple[int, int]) -> str:
    version = said.strip().removeprefix("v")
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < oldest:
        raise Refused(
            f"expected {what} {oldest[0]}.{oldest[1]} or newer, found {version or 'no version'}",
            remedy="upgrade it; the compose file is not understood by older ones",
        )
    return version


def _last_line(text: str) -> str:
    """The last one that says something: where to read on is what the remedy is for."""
    lines: Iterator[str] = (line.strip() for line in reversed(text.splitlines()))
    said = (line for line in lines if line and not _POINTS_TO_HELP.match(line))
    return next(said, "nothing was said")
