"""The authority and its certificates: what is kept, what is made anew, what is refused."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.adapters.compose import certificates
from shared.adapters.compose.certificates import Authority, Pair, read_certificate
from shared.domain.errors import Refused


def pair(folder: Path) -> Pair:
    return Pair(folder / "server.crt", folder / "server.key")


def test_a_good_certificate_is_kept_and_other_names_need_another(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    server = pair(tmp_path)
    assert authority.issue(server, ("pooler", "127.0.0.1"))
    first = server.certificate.read_bytes()
    assert not Authority(tmp_path / "authority").issue(server, ("pooler", "127.0.0.1"))
    assert server.certificate.read_bytes() == first
    assert authority.issue(server, ("pooler", "127.0.0.1", "db.example.net"))
    assert authority.issue(server, ("pooler", "127.0.0.1", "db.example.net"), anew=True)


def test_what_expires_soon_or_is_of_another_authority_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, server = Authority(tmp_path / "authority"), pair(tmp_path)
    monkeypatch.setattr(certificates, "SERVER_DAYS", 30)
    authority.issue(server, ("redis",))
    monkeypatch.setattr(certificates, "SERVER_DAYS", 397)
    assert authority.issue(server, ("redis",))
    left = read_certificate(server.certificate).not_valid_after_utc - datetime.now(UTC)
    assert left > timedelta(days=390)
    assert Authority(tmp_path / "stranger").issue(server, ("redis",))


def test_keys_are_closed_and_a_client_trusts_the_chain(tmp_path: Path) -> None:
    authority, server = Authority(tmp_path / "authority"), pair(tmp_path)
    authority.issue(server, ("localhost",))
    assert server.key.stat().st_mode & 0o077 == 0
    assert authority.files.key.stat().st_mode & 0o077 == 0
    context = ssl.create_default_context(cafile=str(authority.files.certificate))
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(server.certificate, server.key)
    assert len(context.get_ca_certs()) == 1


def test_a_damaged_or_expired_authority_is_refused_by_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "AUTHORITY_DAYS", -1)
    monkeypatch.setattr(certificates, "BACKDATED", timedelta(days=2))
    with pytest.raises(Refused, match=r"expired .*") as refused:
        Authority(tmp_path / "old")
    assert "ca.crt" in refused.value.message
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "ca.crt").write_text("no certificate", encoding="utf-8")
    (damaged / "ca.key").write_text("no key", encoding="utf-8")
    with pytest.raises(Refused, match=r"ca\.crt"):
        Authority(damaged)
