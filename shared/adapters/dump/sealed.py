"""Stream SQL text into a sealed file and out again: zstd, then age where there are recipients.

Nothing is held in memory but one block, and no plain text touches the disk. The file appears
under its name only when it is whole: it is written beside it, flushed to the disk and renamed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import pyrage
import zstandard
from pyrage import ssh, x25519

from shared.domain.errors import Broken, Refused, Transient

BLOCK_BYTES = 1 << 18
Keys = Callable[[], Sequence[x25519.Identity]]
"""The identities to decrypt with, asked only for a file that is encrypted."""


@dataclass(frozen=True, slots=True)
class Sealed:
    plain_bytes: int
    plain_sha256: str
    stored_bytes: int
    stored_sha256: str


class _Tap:
    """A reader or writer that hashes, counts and shows to others what passes through it."""

    def __init__(self, inner: IO[bytes], see: Sequence[Callable[[bytes], None]] = ()) -> None:
        self._inner = inner
        self._see = see
        self._hash = hashlib.sha256()
        self.size = 0

    def _note(self, block: bytes) -> None:
        self._hash.update(block)
        self.size += len(block)
        for see in self._see:
            see(block)

    def read(self, size: int = -1, /) -> bytes:
        block = self._inner.read(size)
        self._note(block)
        return block

    def write(self, block: bytes, /) -> int:
        data = bytes(block)
        self._note(data)
        self._inner.write(data)
        return len(data)

    def flush(self) -> None:
        self._inner.flush()

    def sha256(self) -> str:
        return self._hash.hexdigest()


def seal(
    source: IO[bytes],
    path: Path,
    *,
    recipients: Sequence[str],
    level: int,
    see: Sequence[Callable[[bytes], None]] = (),
    finished: Callable[[], None] = lambda: None,
) -> Sealed:
    """Compress, encrypt and store `source`; `see` is shown each plain block.

    `finished` is called at the end of `source`, before the file gets its name: it raises when the
    source ended badly, and the file then never appears. Raises Transient when the disk is full.
    """
    partial = path.with_name(path.name + ".partial")
    plain = _Tap(source, see)
    try:
        with open(partial, "wb", opener=_private) as file:
            stored = _Tap(file)
            packed = zstandard.ZstdCompressor(level=level).stream_reader(cast("IO[bytes]", plain))
            if recipients:
                pyrage.encrypt_io(packed, stored, public_keys(recipients))
            else:
                while block := packed.read(BLOCK_BYTES):
                    stored.write(block)
            finished()
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise _disk(partial, error) from error
    finally:
        partial.unlink(missing_ok=True)
    return Sealed(plain.size, plain.sha256(), stored.size, stored.sha256())


def unseal(
    path: Path, target: IO[bytes], *, keys: Keys, see: Sequence[Callable[[bytes], None]] = ()
) -> Sealed:
    """Decrypt and unpack `path` into `target`; what was read is hashed on the way.

    `see` is shown each stored block. Raises Refused without a fitting identity, Broken when a byte
    of the file is not as written, BrokenPipeError when the reader of `target` has ended.
    """
    plain = _Tap(target)
    try:
        unpacker = zstandard.ZstdDecompressor().stream_writer(cast("IO[bytes]", plain))
        with path.open("rb") as file, unpacker as unpack:
            stored = _Tap(file, see)
            if path.suffix == ".age":
                pyrage.decrypt_io(stored, unpack, keys())
            else:
                while block := stored.read(BLOCK_BYTES):
                    unpack.write(block)
    except BrokenPipeError:
        raise
    except FileNotFoundError as error:
        raise _gone(path) from error
    except pyrage.DecryptError as error:
        raise Refused(
            f"{path.name} cannot be decrypted: {error}",
            remedy="name the fitting age identity: `--identity FILE`, or `backup.identity_file`",
        ) from error
    except (OSError, zstandard.ZstdError) as error:
        raise Broken(f"{path.name} is damaged: {error}; the point cannot be used") from error
    return Sealed(plain.size, plain.sha256(), stored.size, stored.sha256())


def check_stored(path: Path, sha256: str) -> None:
    """Raises Broken unless the bytes of the file are those that were written: before anything of
    them is decrypted, or run as SQL. Refused when the file is gone."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise _gone(path) from error
    except OSError as error:
        raise Broken(f"{path.name} cannot be read: {error}; the point cannot be used") from error
    if found != sha256:
        raise Broken(
            f"{path.name} is damaged: expected SHA-256 {sha256[:16]}, found {found[:16]};"
            " the point cannot be used"
        )


def public_keys(texts: Sequence[str]) -> list[x25519.Recipient | ssh.Recipient]:
    """Raises Refused for a text that is no age or ssh public key."""
    keys: list[x25519.Recipient | ssh.Recipient] = []
    for text in texts:
        kind = x25519.Recipient if text.startswith("age1") else ssh.Recipient
        try:
            keys.append(kind.from_str(text))
        except pyrage.RecipientError as error:
            raise Refused(
                f"expected an age public key, found {text[:12]!r}...: {error}",
                remedy="mend `backup.recipients`",
            ) from error
    return keys


def identities(path: Path) -> list[x25519.Identity]:
    """The identities of an age key file. Raises Refused when it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8").split()
        found = [x25519.Identity.from_str(line) for line in lines if line.startswith("AGE-SECRET")]
    except (OSError, pyrage.IdentityError) as error:
        raise Refused(f"the age identity {path} cannot be read: {error}") from error
    if not found:
        raise Refused(f"expected an age identity in {path}, found none", remedy="see `age-keygen`")
    return found


def _gone(path: Path) -> Refused:
    return Refused(f"expected {path.name}, found it deleted", code="gone")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _disk(path: Path, error: OSError) -> Transient:
    return Transient(
        f"{path.parent} cannot take the rollback point: {error.strerror or error}; "
        "the partial file was removed"
    )
