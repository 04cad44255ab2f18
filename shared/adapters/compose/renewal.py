"""The certificates of the compose stack: shown, made, and made anew while it serves.

Runs in the one-shot service `prepare`, which alone mounts the authority's key:
`docker compose -f docker-compose.migrations.yml run --rm prepare bluegreen certs renew`.
The servers read theirs again when they are told (scripts/migration/renew-certificates.sh).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from shared.adapters.compose.certificates import Authority, read_certificate
from shared.adapters.compose.inventory import IDENTITIES, MONITORING_IDENTITIES
from shared.adapters.compose.prepare import AUTHORITY_PLACE, certify
from shared.adapters.compose.vault import Vault, choices_from
from shared.domain.errors import Refused

ALL = (*IDENTITIES, *MONITORING_IDENTITIES)


@dataclass(frozen=True, slots=True)
class Shown:
    """One certificate, as it lies in a service's volume."""

    service: str
    names: tuple[str, ...]
    expires: datetime
    is_new: bool = False


def init(root: Path, environment: Mapping[str, str], *, anew: bool = False) -> list[Shown]:
    """Make the authority and every certificate that is missing, about to expire or for other
    names; with `anew`, every one. Raises Refused outside the service `prepare`."""
    _check_place(root)
    vault = Vault(root / "vault")
    authority = Authority(vault.directory / AUTHORITY_PLACE)
    choices = choices_from(environment, vault)
    made = {
        identity.service
        for identity in ALL
        if certify(_own(root, identity.service), identity, authority, choices, anew=anew)
    }
    return [
        Shown(shown.service, shown.names, shown.expires, shown.service in made)
        for shown in show(root)
    ]


def show(root: Path) -> list[Shown]:
    """Every certificate, soonest to expire first."""
    _check_place(root)
    return sorted(_shown(root), key=lambda shown: shown.expires)


def _shown(root: Path) -> Iterator[Shown]:
    for identity in ALL:
        path = _own(root, identity.service) / "tls/server.crt"
        if path.exists():
            found = read_certificate(path)
            yield Shown(identity.service, identity.names, found.not_valid_after_utc)


def _own(root: Path, service: str) -> Path:
    place = root / "own" / service
    (place / "tls").mkdir(parents=True, exist_ok=True)
    return place


def _check_place(root: Path) -> None:
    if not (root / "vault").is_dir():
        raise Refused(
            f"expected the stack's volumes below {root}, found none: only `prepare` mounts them",
            remedy="docker compose -f docker-compose.migrations.yml run --rm prepare bluegreen "
            "certs init",
        )
