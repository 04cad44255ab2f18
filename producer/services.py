"""A service that does not answer is named with its address, and so is what shows more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.domain.errors import Transient

ASK_DOCTOR = "`bluegreen doctor` shows what is down"
SERVICE_DOWN = "ServiceDown"
"""`code` of such an error."""
LETS_NOBODY_IN = ("28", "3D", "42501", "53300")
"""SQLSTATEs of a server that answers: which helps whom who looks for a dead one."""


@contextmanager
def service(name: str, host: str, port: int) -> Iterator[None]:
    """Whatever is lost for a moment in here is this service being away, or letting us not in."""
    try:
        yield
    except Transient as error:
        where = f"{name} at {host}:{port}"
        if error.code.startswith(LETS_NOBODY_IN):
            raise Transient(
                f"{where} answers, and lets us not in: {error.message}",
                remedy=error.remedy,
                code=error.code,
            ) from error
        raise Transient(
            f"{where} is not reachable: {error.message}",
            remedy=error.remedy or ASK_DOCTOR,
            code=SERVICE_DOWN,
        ) from error
