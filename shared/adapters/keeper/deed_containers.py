"""A deed of the keeper: a container beside a stopped server's, with its volumes and its lock."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import docker
from docker.errors import NotFound

from shared.adapters.deeds import last_line_and_progress
from shared.adapters.in_slices import in_slices
from shared.adapters.keeper.server_container import ServerPlaces
from shared.domain.environment import Colour
from shared.ports import DeedState

COMPOSE = "com.docker.compose."
PROJECT, SERVICE, ONE_OFF = (COMPOSE + name for name in ("project", "service", "oneoff"))
DEED = "bluegreen.deed"
EMPTY_THEN = "mkdir -p {data}; find {data} -mindepth 1 -delete; "
STANDBY_THEN = "; touch {data}/standby.signal"
"""What was rewound or copied is a standby, whoever starts it: never a second writer. The deed may
have taken away a signal file that a start in between had made."""
PLACES = ServerPlaces()
LOCK = PLACES.data.parent / "lock"
"""Held by whoever writes to the data directory: the server (compose/node-entrypoint.sh) or a deed.
So a container that someone starts by hand waits for the deed, and never serves half a copy."""


@dataclass(slots=True)
class DeedContainers:
    project: str
    client: docker.DockerClient

    def find(self, colour: Colour, name: str) -> Any | None:
        try:
            return self.client.containers.get(f"{self.project}-{colour}-{name}")
        except NotFound:
            return None

    def begin(
        self, node: Any, colour: Colour, name: str, program: str, args: Sequence[str]
    ) -> None:
        """A container with the server's volumes, network and user, and no more rights than it."""
        networks = sorted(node.attrs["NetworkSettings"]["Networks"])
        labels = {label: value for label, value in node.labels.items() if label.startswith(COMPOSE)}
        self.client.containers.run(
            node.attrs["Image"],
            entrypoint=command_of(program, args),
            command=[],
            name=f"{self.project}-{colour}-{name}",
            labels={**labels, ONE_OFF: "True", DEED: name},
            user=node.attrs["Config"]["User"],
            environment=node.attrs["Config"]["Env"],
            volumes_from=[node.id],
            tmpfs={str(PLACES.socket_dir): "mode=1777", "/tmp": "mode=1777"},
            working_dir="/tmp",
            network=networks[0],
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            detach=True,
        )


def state_of(container: Any) -> DeedState:
    text = container.logs(tail=20).decode("utf-8", "replace")
    last, progress = last_line_and_progress(text)
    if container.status in ("created", "running"):
        return DeedState("running", last, progress)
    code = container.attrs["State"]["ExitCode"]
    return DeedState("succeeded" if code == 0 else "failed", last, progress)


def command_of(program: str, args: Sequence[str]) -> list[str]:
    """The program under the data directory's lock, in slices."""
    data, conf = PLACES.data, str(PLACES.conf / "postgresql.conf")
    if program == "pg_rewind":
        first = ""
        command = [program, "--target-pgdata", str(data), "--config-file", conf, *args]
    else:
        first = EMPTY_THEN.format(data=data)
        command = [program, "--pgdata", str(data), *args]
    work = first + shlex.join(in_slices(data, command)) + STANDBY_THEN.format(data=data)
    return ["flock", "--nonblock", str(LOCK), "/bin/sh", "-ec", work]
