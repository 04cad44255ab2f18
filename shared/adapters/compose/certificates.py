"""A private certificate authority and the certificates of the stack's servers.

Guarantee   every server has a key of its own and a certificate that names it; all are signed by one
            authority, whose key stays in the vault and is never mounted into a running service
Repeats     safe: what is valid for long enough and names the same hosts is left alone
Fails with  Refused   a file of the authority is damaged or expired
Source      RFC 5280; libpq's verify-full and redis-py both check subjectAltName
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.adapters.embedded.child import write_whole
from shared.domain.errors import Refused

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397
RENEW_BEFORE = timedelta(days=60)
BACKDATED = timedelta(minutes=5)
"""For clocks of other hosts that run behind."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path

    def is_there(self) -> bool:
        return self.certificate.exists() and self.key.exists()


class Authority:
    """The authority in `directory` (`ca.crt`, `ca.key`), made when it is not there."""

    def __init__(self, directory: Path) -> None:
        self.files = Pair(directory / "ca.crt", directory / "ca.key")
        if not self.files.is_there():
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self.files, *_new_authority())
        self._certificate = read_certificate(self.files.certificate)
        self._key = _read_key(self.files.key)
        if self._certificate.not_valid_after_utc < datetime.now(UTC):
            raise Refused(
                f"expected a valid authority in {self.files.certificate}, found one that expired "
                f"at {self._certificate.not_valid_after_utc:%F}",
                remedy="`bluegreen certs init --new-authority`, then restart every service",
            )

    def issue(self, pair: Pair, names: Sequence[str], *, anew: bool = False) -> bool:
        """Sign a certificate for these hosts, unless a good one is there. True: a new one."""
        if not anew and pair.is_there() and self._is_good(pair.certificate, names):
            return False
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(names[0]))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(
                min(now + timedelta(days=SERVER_DAYS), self._certificate.not_valid_after_utc)
            )
            .add_extension(x509.SubjectAlternativeName([_host(name) for name in names]), False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False
            )
            .sign(self._key, hashes.SHA256())
        )
        _write(pair, certificate, key)
        return True

    def _is_good(self, path: Path, names: Sequence[str]) -> bool:
        found = read_certificate(path)
        named = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        try:
            found.verify_directly_issued_by(self._certificate)
        except Exception:  # another authority, or not one of ours at all
            return False
        lasts = found.not_valid_after_utc - datetime.now(UTC) > RENEW_BEFORE
        return lasts and set(named) == {_host(name) for name in names}


def read_certificate(path: Path) -> x509.Certificate:
    """Raises Refused when there is none."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise Refused(
            f"expected a certificate in {path}, found {error}",
            remedy="remove it, and run `bluegreen certs init`",
        ) from error


def _new_authority() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    now, name = datetime.now(UTC), _name("Bluegreen stack authority")
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .add_extension(usage, True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )
    return certificate, key


def _write(pair: Pair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_whole(pair.key, pem.decode(), 0o600)
    text = certificate.public_bytes(serialization.Encoding.PEM).decode()
    write_whole(pair.certificate, text, 0o644)


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Refused(f"expected a key on an elliptic curve in {path}", remedy="remove it")
    return key


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
