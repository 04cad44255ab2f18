"""How long the certificates that the services show will hold, read off the wire.

A service that speaks no TLS has none to watch. Source: PostgreSQL manual, "SSL Session Encryption"
(the request of eight bytes, answered by S or N); PgBouncer answers it in the same way.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from shared.domain.health import CheckResult
from shared.settings import Settings

LIMIT_S = 2.0
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_ANY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_ANY.check_hostname = False
_ANY.verify_mode = ssl.CERT_NONE  # an expired one is to be read too; nothing is sent over this


@dataclass(frozen=True, slots=True)
class Place:
    """Where a certificate is shown."""

    name: str
    host: str
    port: int
    is_postgres: bool = True


def places(settings: Settings) -> list[Place]:
    return [
        *(Place(colour.value, node.host, node.port) for colour, node in settings.nodes.items()),
        Place("control", settings.control.host, settings.control.port),
        Place("pooler", settings.pooler.host, settings.pooler.port),
        Place("redis", settings.redis.host, settings.redis.port, is_postgres=False),
    ]


def check_certificates(settings: Settings) -> Iterator[CheckResult]:
    """One result for each service that shows a certificate."""
    for place in places(settings):
        try:
            ends = _ends(place)
        except (OSError, ValueError):
            continue  # away: its availability is another check's
        if ends is None:
            continue
        days = (ends - datetime.now(UTC)).total_seconds() / 86400
        said = f"ends on {ends:%F}, in {days:.0f} days" if days > 0 else f"ended on {ends:%F}"
        yield CheckResult(
            f"certificate.{place.name}",
            days >= settings.monitor.limits.certificate_days,
            f"the certificate of {place.name} {said}",
            "warning" if days > 1 else "critical",
            ends.timestamp(),
        )


def _answers_plainly(place: Place) -> bool:
    """Whether this Redis speaks without TLS: it would wait for the end of a line that never comes
    in a greeting of TLS. Raises OSError when nobody answers."""
    with socket.create_connection((place.host, place.port), LIMIT_S) as plain:
        plain.settimeout(LIMIT_S)
        plain.sendall(b"PING\r\n")
        return plain.recv(1) in (b"+", b"-")


def _ends(place: Place) -> datetime | None:
    """None where no TLS is spoken. Raises OSError when nobody answers."""
    if not place.is_postgres and _answers_plainly(place):
        return None
    with socket.create_connection((place.host, place.port), LIMIT_S) as plain:
        plain.settimeout(LIMIT_S)
        if place.is_postgres:
            plain.sendall(SSL_REQUEST)
            if plain.recv(1) != b"S":
                return None
        try:
            with _ANY.wrap_socket(plain) as secured:
                shown = secured.getpeercert(binary_form=True)
        except ssl.SSLError:
            return None
    return None if shown is None else x509.load_der_x509_certificate(shown).not_valid_after_utc
