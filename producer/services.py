"""A service that does not answer is named with its address, and so is what shows more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.domain.errors import Transient

SERVICE_DOWN = "ServiceDown"
"""`code` of such an error."""


@contextmanager
def service(name: str, host: str, port: int) -> Iterator[None]:
    """Whatever is lost for a moment in here is this service being away."""
    try:
        yield
    except Transient as error:
        raise Transient(
            f"{name} at {host}:{port} is not reachable: {error.message}",
            remedy="`bluegreen doctor` shows what is down",
            code=SERVICE_DOWN,
        ) from error
