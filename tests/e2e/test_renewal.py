"""Certificates are renewed while the application writes."""

from __future__ import annotations

import time

from psycopg import connect

from tests.support.compose_stack import ComposeJourney, ComposeStack


def serial(stack: ComposeStack, service: str) -> str:
    """Of the certificate with which that server answers now, asked over the network."""
    script = (
        "import ssl, socket, struct\n"
        f"s = socket.create_connection(('{service}', {6432 if service == 'pooler' else 5432}), 5)\n"
        "s.sendall(struct.pack('!ii', 8, 80877103)); assert s.recv(1) == b'S'\n"
        "c = ssl.create_default_context(cafile='/etc/bluegreen/tls/ca.crt')\n"
        f"t = c.wrap_socket(s, server_hostname='{service}')\n"
        "print(t.getpeercert()['serialNumber'])\n"
    )
    said = stack.execute("validator", "python", "-c", script)
    assert said.code == 0, said.err
    return said.out.strip()


def test_renewal_fails_no_transaction(stack: ComposeStack, journey: ComposeJourney) -> None:
    servers = ("postgres-blue", "postgres-green", "pooler")
    before = {server: serial(stack, server) for server in servers}
    with (
        connect(journey.doors["direct"], autocommit=True) as kept,
        journey.shop.load(rate=50) as journal,
    ):
        said = stack.shell("./scripts/migration/renew-certificates.sh")
        assert said.code == 0, said.err
        deadline = time.monotonic() + 60
        while any(serial(stack, server) == before[server] for server in servers):
            assert time.monotonic() < deadline, "a server still shows its old certificate"
            time.sleep(0.5)
        assert kept.execute("SELECT 1").fetchone() == (1,)
    account = journey.shop.account(journal)
    assert account.clean, account
    with connect(journey.doors["app"]) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)
    assert stack.compose("up", "-d", "--wait", limit_s=240).code == 0
