"""Who can read an encrypted rollback point.

For good: the recipients, whose private keys the backup agent does not have. Until the point is
verified: also a key of the point's own, made for the dump and deleted by the verification; so what
was stored is decrypted and restored once, and a worker that is stolen later opens no older point
(docs/adr/0017).
"""

from __future__ import annotations

import os
from pathlib import Path

from pyrage import x25519

from shared.adapters.dump.sealed import Keys, identities
from shared.domain.errors import Broken, Refused, Transient
from shared.domain.rollback_point import Manifest
from shared.settings import Settings


def make_key(settings: Settings, point: str) -> list[str]:
    """The public keys that a new point is encrypted for: none where there are no recipients."""
    if not settings.backup.recipients:
        return []
    key = x25519.Identity.generate()
    path = _path(settings, point)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(path, "w", encoding="utf-8", opener=_private) as file:
            file.write(f"{key}\n")
    except OSError as error:
        raise Transient(f"{path} cannot be written: {error.strerror or error}") from error
    return [*settings.backup.recipients, str(key.to_public())]


def recipients_of(settings: Settings, point: Manifest) -> list[str]:
    """The public keys that a further part of that point is encrypted for.

    Raises Broken when the point's own key is gone: it could not be verified any more.
    """
    if not settings.backup.recipients:
        return []
    path = _path(settings, point.name)
    if path.exists():
        own = [str(key.to_public()) for key in identities(path)]
    elif settings.backup.identity_file is not None:
        own = []
    else:
        raise Broken(
            f"expected the key of {point.name} in {path}, found it gone: the point could not be"
            " verified",
            remedy="run the migration again: it takes a new point",
        )
    return [*settings.backup.recipients, *own]


def keys_of(settings: Settings, point: Manifest, identity: Path | None = None) -> Keys:
    """The identities at hand: the one given by hand, the configured one, the point's own."""

    def found() -> list[x25519.Identity]:
        files = [identity, settings.backup.identity_file]
        own = _path(settings, point.name)
        here = [*(path for path in files if path is not None), *([own] if own.exists() else [])]
        if not here:
            raise Refused(
                f"expected an age identity to read {point.name} with, found none: its own key is"
                " deleted once it is verified",
                remedy="name the file of a recipient's key: `--identity FILE`, or "
                "`backup.identity_file`",
            )
        return [key for path in here for key in identities(path)]

    return found


def can_read(settings: Settings, point: Manifest) -> bool:
    """Whether this host can decrypt the point: it is plain, or a key of it is at hand."""
    encrypted = any(part.file.endswith(".age") for part in point.parts)
    has_own = _path(settings, point.name).exists()
    return not encrypted or has_own or settings.backup.identity_file is not None


def forget_key(settings: Settings, point: str) -> None:
    """Absent is fine."""
    _path(settings, point).unlink(missing_ok=True)


def forget_keys_but(settings: Settings, points: set[str]) -> None:
    """Delete the keys of points that are not there any more."""
    for path in _directory(settings).glob("*.key"):
        if path.stem not in points:
            path.unlink(missing_ok=True)


def _directory(settings: Settings) -> Path:
    return settings.backup.key_dir or settings.backup_dir / ".keys"


def _path(settings: Settings, point: str) -> Path:
    return _directory(settings) / f"{point}.key"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_TRUNC, 0o600)
