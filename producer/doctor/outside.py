"""`bluegreen doctor` outside of the compose stack: the host and the containers, then inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shared.adapters.compose.host import CONTROLLER, PROXY, UP, Host
from shared.domain.errors import Refused, Transient

ONE_SHOT = ("prepare", "bootstrap")
NEEDED_OUTSIDE = ("engine", "compose")
"""The first ones; without these no other look outside can be made."""
WELL = ("healthy", "running", "exited (0)")


def looks_outside(host: Host) -> Iterator[tuple[str, Callable[[], str]]]:
    """Name and check, in the order in which one fails because of the one before."""
    yield "engine", lambda: f"Docker Engine {host.engine()}"
    yield "compose", lambda: f"Docker Compose {host.compose()}"
    yield "settings", lambda: _settings(host)
    yield "engine's socket", lambda: f"{host.engine_socket()}, for the keeper"
    yield "ports", lambda: _ports(host)
    yield "services", lambda: _services(host)


def _settings(host: Host) -> str:
    name = host.configuration()["name"]
    return f"{host.folder}, project {name}"


def _ports(host: Host) -> str:
    is_up = host.services().get(PROXY) in WELL
    for port in host.ports():
        if is_up and not port.answers():
            raise Transient(
                f"expected port {port.number} of {port.address} ({port.setting}) to answer, found "
                "that it does not",
                remedy=f"`docker compose logs {port.service}`",
            )
        if not is_up and not port.is_free():
            raise Refused(
                f"expected port {port.number} of {port.address} to be free, found it taken",
                remedy=f"set {port.setting} to another one in .env",
            )
    numbers = ", ".join(str(port.number) for port in host.ports())
    return f"{numbers} {'answer' if is_up else 'are free'}"


def _services(host: Host) -> str:
    found = host.services()
    if CONTROLLER not in found:
        raise Transient("expected the stack to be up, found no container of it", remedy=UP)
    bad = {name: state for name, state in found.items() if state not in WELL}
    if bad:
        listed = ", ".join(f"{name} {state}" for name, state in sorted(bad.items()))
        first = min(bad, key=lambda name: (name not in ONE_SHOT, name))
        raise Transient(
            f"expected every service to be well, found {listed}",
            remedy=f"`docker compose logs {first}` says why",
        )
    return f"{len(found)} are well"
