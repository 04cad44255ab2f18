"""Two servers of one compose project, through the Docker SDK; nothing else calls the engine.

Guarantee   nothing but the containers `postgres-blue` and `postgres-green` of this project, and
            one-off containers beside them (deed_containers.py), is ever touched
Repeats     safe
Fails with  Transient  the engine does not answer, a server does not come up or down in time
            Broken     a deed was asked for while its server runs
Source      Docker Engine API 1.41 and later; Docker SDK for Python
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import docker
import requests
from docker.errors import APIError, DockerException

from shared.adapters.embedded.child import write_whole
from shared.adapters.embedded.postgres_conf import Access, access_of, node_hba, setting_lines
from shared.adapters.embedded.postmaster import READY
from shared.adapters.keeper.deed_containers import (
    ONE_OFF,
    PROJECT,
    SERVICE,
    DeedContainers,
    state_of,
)
from shared.adapters.keeper.load import load_of
from shared.adapters.keeper.orders import NodeState
from shared.adapters.keeper.server_container import NETWORK, ServerPlaces
from shared.adapters.wal_reader import commits_after
from shared.domain.environment import Colour
from shared.domain.errors import Broken, Transient
from shared.ports import Commit, DeedState

POLL_S = 0.02
ENGINE_LIMIT_S = 60
PROGRAMS = Path("/usr/local/bin")
"""Where our image has the server's own pg_waldump."""
PLACES = ServerPlaces()


@dataclass(slots=True)
class Engine:
    project: str
    mounts: Path
    """`<colour>/conf` and `<colour>/data` are that node's volumes."""
    client: docker.DockerClient

    def look(self, colour: Colour) -> NodeState:
        with _translated():
            container = self._container(colour)
            running = container.status == "running"
            stats = container.stats(stream=False, one_shot=True) if running else {}
            health = (container.attrs["State"].get("Health") or {}).get("Status", "")
        place = os.statvfs(self.mounts / colour / "data")
        return NodeState(
            running=running,
            access=self._access(colour),
            free_disk_bytes=place.f_bavail * place.f_frsize,
            load=load_of(stats),
            health=health,
        )

    def start(self, colour: Colour, limit_s: float) -> None:
        with _translated():
            self._container(colour).start()
            _until(lambda: self._is_ready(colour), f"{colour} to start", limit_s)

    def stop(self, colour: Colour, mode: Literal["fast", "immediate"], limit_s: float) -> None:
        """`fast` is the container's stop signal, SIGINT. A container that was told to stop is not
        started again by its restart policy, killed ones included."""
        with _translated():
            container = self._container(colour)
            if mode == "immediate":
                with suppress(APIError):  # it does not run, or no more
                    container.kill()
            container.stop(timeout=int(limit_s))
            container.reload()
            if container.status == "running":
                raise Transient(f"expected {colour} to stop ({mode}) within {limit_s:.0f} s")

    def end(self, colour: Colour, limit_s: float) -> None:
        """A container's processes end with its first one, frozen ones too."""
        self.stop(colour, "immediate", limit_s)

    def commits_after(self, colour: Colour, lsn: str) -> Sequence[Commit] | None:
        with _translated():
            if self._container(colour).status == "running":
                raise Broken(f"expected {colour} to be ended before its WAL is read to the end")
        return commits_after(self.mounts / colour / "data" / PLACES.data.name, PROGRAMS, None, lsn)

    def reload(self, colour: Colour) -> None:
        with _translated():
            container = self._container(colour)
            if container.status == "running":
                container.kill(signal="SIGHUP")

    def set_access(self, colour: Colour, level: Access) -> None:
        write_whole(self._conf(colour) / "pg_hba.conf", node_hba(colour, level, NETWORK))
        self.reload(colour)

    def set_recovery(self, colour: Colour, settings: Mapping[str, str], *, standby: bool) -> None:
        """`recovery.mode` becomes the signal file when the server starts: the keeper has no right
        to write into a data directory. Each is obeyed once (its second word tells them apart), for
        a server that was promoted has taken its signal file away itself."""
        write_whole(self._conf(colour) / "recovery.conf", setting_lines(settings))
        self._write_mode(colour, "standby" if standby else "recovery")

    def clear_recovery(self, colour: Colour) -> None:
        write_whole(self._conf(colour) / "recovery.conf", "")
        self._write_mode(colour, "none")
        self.reload(colour)

    def start_deed(self, colour: Colour, name: str, program: str, args: Sequence[str]) -> None:
        with _translated():
            node = self._container(colour)
            if node.status == "running":
                raise Broken(
                    f"expected {colour} to be stopped before {program}, found it running; "
                    "nothing was begun"
                )
            old = self._deeds.find(colour, name)
            if old is not None:
                if old.status in ("created", "running"):
                    return
                old.remove(force=True)
            # From here on whoever starts it, before the deed or after it, starts a standby.
            self.set_recovery(colour, {}, standby=True)
            self._deeds.begin(node, colour, name, program, args)

    def look_at_deed(self, colour: Colour, name: str) -> DeedState:
        with _translated():
            found = self._deeds.find(colour, name)
            if found is None:
                return DeedState("absent")
            return state_of(found)

    def forget_deed(self, colour: Colour, name: str) -> None:
        with _translated():
            found = self._deeds.find(colour, name)
            if found is not None:
                found.remove(force=True)

    @property
    def _deeds(self) -> DeedContainers:
        return DeedContainers(self.project, self.client)

    def _container(self, colour: Colour) -> Any:
        found = self.client.containers.list(
            all=True,
            filters={"label": [f"{PROJECT}={self.project}", f"{SERVICE}=postgres-{colour}",
                               f"{ONE_OFF}=False"]},
        )  # fmt: skip
        if not found:
            raise Transient(
                f"expected a container postgres-{colour} of project {self.project}, found none; "
                f"`docker compose -f docker-compose.migrations.yml up -d postgres-{colour}`"
            )
        return found[0]

    def _is_ready(self, colour: Colour) -> bool:
        """The server of this very start has written that it accepts connections or recovers.
        Inside its container every server is process 1: which start it was, its time tells."""
        container = self._container(colour)
        if container.status != "running":
            return False
        began = datetime.fromisoformat(container.attrs["State"]["StartedAt"][:19] + "+00:00")
        file = self.mounts / colour / "data" / PLACES.data.name / "postmaster.pid"
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
            return int(lines[2]) >= int(began.timestamp()) and lines[7].strip() in READY
        except (OSError, ValueError, IndexError):
            return False

    def _write_mode(self, colour: Colour, mode: str) -> None:
        write_whole(self._conf(colour) / "recovery.mode", f"{mode} {time.time_ns()}\n")

    def _access(self, colour: Colour) -> Access:
        try:
            text = (self._conf(colour) / "pg_hba.conf").read_text(encoding="utf-8")
        except FileNotFoundError:
            return "open"
        return access_of(text)

    def _conf(self, colour: Colour) -> Path:
        return self.mounts / colour / "conf"


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (DockerException, APIError, requests.RequestException) as error:
        said = str(error).strip().splitlines()[0]
        raise Transient(f"the container engine: {said}") from error


def _until(holds: Callable[[], bool], what: str, limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > deadline:
            raise Transient(f"expected {what} within {limit_s:.0f} s")
        time.sleep(POLL_S)
