"""TLS on every leg, and what was meant for one is refused to another."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from shared.adapters.compose.certificates import Authority
from tests.support.compose_stack import CONTROLLER, ComposeStack

IN_CONTAINER = "import socket; s=socket.create_connection(('redis',6379),3); s.settimeout(3)\n"


@pytest.mark.parametrize("door", ["app", "direct"])
def test_a_plain_login_at_a_door_is_refused(stack: ComposeStack, door: str) -> None:
    with psycopg.connect(stack.doors[door]) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError, match=r"SSL required|no encryption"):
        psycopg.connect(make_conninfo(stack.doors[door], sslmode="disable"))


@pytest.mark.parametrize("door", ["app", "direct"])
def test_a_certificate_of_somebody_else_or_of_another_host_is_noticed(
    stack: ComposeStack, door: str, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "stranger").files.certificate
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(make_conninfo(stack.doors[door], sslrootcert=str(stranger)))
    elsewhere = make_conninfo(stack.doors[door], host="elsewhere", hostaddr="127.0.0.1")
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        psycopg.connect(elsewhere)


LEGS = {
    "an agent to blue": ("validator", "postgres-blue", "bg_validator", "app", ""),
    "an agent to green": ("replicator", "postgres-green", "bg_replicator", "app", ""),
    "an agent to the control database":
        ("backup", "postgres-control", "bg_control_backup", "bluegreen_control", ""),
    "an agent to the scratch server":
        ("backup", "postgres-scratch", "bg_scratch", "postgres", ""),
    "an agent to the pooler's console":
        ("proxy-agent", "pooler", "bg_pooler_admin", "pgbouncer", "6432"),
}  # fmt: skip


@pytest.mark.parametrize("leg", LEGS)
def test_a_plain_login_inside_the_stack_is_refused(stack: ComposeStack, leg: str) -> None:
    service, host, role, database, port = LEGS[leg]
    query = "SHOW VERSION" if database == "pgbouncer" else "SHOW server_version"

    def login(mode: str) -> str:
        script = (
            f"PGPASSWORD=$(cat /etc/bluegreen/secrets/{role}) PGSSLMODE={mode} psql -XAt"
            f" -h {host} -p {port or 5432} -U {role} -d {database} -c '{query}' 2>&1"
        )
        return stack.execute(service, "sh", "-c", script).out

    assert login("verify-full").removeprefix("PgBouncer ")[0].isdigit()
    said = login("disable")
    assert "no encryption" in said or "SSL required" in said, said


WALSENDER, SESSION = "replication=true", "dbname=app"
"""How a server logs in at the other: for a stream and a base backup; for a rewind."""


def said_to_a_server(
    stack: ComposeStack, service: str, host: str, role: str, *, mode: str = "verify-full",
    way: str = WALSENDER,
) -> str:  # fmt: skip
    """What a server says to a login from another server's container."""
    query = "IDENTIFY_SYSTEM" if way == WALSENDER else "SELECT 'in' || '|'"
    conninfo = (
        f"host={host} user={role} passfile=/etc/bluegreen/secrets/passfile/{role}"
        f" sslmode={mode} sslrootcert=/etc/bluegreen/tls/ca.crt {way}"
    )
    script = f"psql -XAt '{conninfo}' -c \"{query}\" 2>&1"
    return stack.execute(service, "sh", "-c", script).out


def test_a_dump_over_a_plain_connection_is_refused(stack: ComposeStack) -> None:
    script = (
        "PGPASSWORD=$(cat /etc/bluegreen/secrets/bg_backup) PGSSLMODE=disable"
        " pg_dump -s -h postgres-green -U bg_backup -d app 2>&1 >/dev/null"
    )
    assert "no encryption" in stack.execute("backup", "sh", "-c", script).out


@pytest.mark.parametrize("way", [WALSENDER, SESSION])
@pytest.mark.parametrize("colour", ["blue", "green"])
def test_what_servers_say_to_each_other_is_encrypted_and_separate_for_each_colour(
    stack: ComposeStack, colour: str, way: str
) -> None:
    """Base backup, rewind, standby and subscription all log in as this role."""
    other = {"blue": "green", "green": "blue"}[colour]
    reads = (f"postgres-{other}", f"postgres-{colour}", f"bg_repl_{colour}")
    assert "|" in said_to_a_server(stack, *reads, way=way)
    assert "no encryption" in said_to_a_server(stack, *reads, way=way, mode="disable")
    strange = (f"postgres-{other}", f"postgres-{other}", f"bg_repl_{colour}")
    refused = {WALSENDER: "no pg_hba.conf entry for replication", SESSION: "pg_hba.conf rejects"}
    assert refused[way] in said_to_a_server(stack, *strange, way=way)


def test_no_connection_to_any_server_is_plain(stack: ComposeStack) -> None:
    """The standby, the pooler and every agent are connected at this moment."""
    plain = (
        "SELECT coalesce(string_agg(usename || ' ' || application_name, ', '), '')"
        " FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE client_addr IS NOT NULL AND NOT"
    )
    seen = "SELECT count(*) > 0 FROM pg_stat_ssl WHERE ssl"
    with psycopg.connect(stack.doors["app"]) as session:
        session.execute("SELECT 1")
        for server in ("postgres-blue", "postgres-green", "postgres-control"):
            assert stack.sql(server, f"{plain} ssl", "postgres") == ""
        assert "t" in {stack.sql(f"postgres-{c}", seen, "postgres") for c in ("blue", "green")}


def test_redis_speaks_only_tls_and_only_to_its_users(stack: ComposeStack) -> None:
    plain = IN_CONTAINER + "s.sendall(b'PING\\r\\n'); print(s.recv(100))"
    said = stack.execute("validator", "python", "-c", plain)
    assert "PONG" not in said.out
    nobody = (
        "import redis; print(redis.Redis(host='redis', ssl=True,"
        " ssl_ca_certs='/etc/bluegreen/tls/ca.crt').ping())"
    )
    said = stack.execute("validator", "python", "-c", nobody)
    assert "NOAUTH" in said.err or "authenticated" in said.err, said.err


REDIS = (
    "import os; from shared.settings import load\n"
    "from shared.adapters.queue.redis_bus import client\n"
    "c = client(load(os.environ))\n"
    "try: print('did', c.execute_command(*{words}))\n"
    "except Exception as error: print(error)\n"
)
MAY = {
    "validator": [("LLEN", "bluegreen:validator"), ("XLEN", "bluegreen:events")],
    "migration-controller": [("LLEN", "bluegreen:backup")],
    "flower": [("LLEN", "bluegreen:validator")],
}
MAY_NOT = {
    "validator": [
        ("LPUSH", "bluegreen:replicator", "x"), ("FLUSHALL",), ("CONFIG", "GET", "*"),
        ("ACL", "LIST"), ("SET", "elsewhere", "x"), ("SHUTDOWN",), ("KEYS", "*"),
    ],
    "migration-controller": [("FLUSHDB",), ("CONFIG", "SET", "maxmemory", "1")],
    "flower": [
        ("LPUSH", "bluegreen:validator", "x"), ("PUBLISH", "bluegreen:/0.celery.pidbox", "x"),
        ("DEL", "bluegreen:events"), ("XADD", "bluegreen:events", "*", "a", "b"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("service", MAY)
def test_each_user_of_redis_may_do_its_work_and_no_more(stack: ComposeStack, service: str) -> None:
    for words in MAY[service]:
        said = stack.execute(service, "python", "-c", REDIS.format(words=words)).out
        assert said.startswith("did"), (words, said)
    for words in MAY_NOT[service]:
        said = stack.execute(service, "python", "-c", REDIS.format(words=words)).out
        assert "permission" in said.lower(), (words, said)


def test_flower_speaks_only_tls(stack: ComposeStack) -> None:
    port = stack.environment["BLUEGREEN_FLOWER_PORT"]
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(f"http://localhost:{port}/healthcheck", timeout=20)


PAGES = ("/", "/tasks", "/workers", "/api/tasks", "/metrics", "/healthcheck")
DEEDS = (
    "/api/task/async-apply/validator.validate", "/api/task/revoke/some-task",
    "/api/worker/shutdown/celery@x", "/api/worker/pool/restart/celery@x",
)  # fmt: skip


def test_flower_is_behind_a_password_and_only_shows(stack: ComposeStack) -> None:
    secret = stack.secret("flower", "flower")
    for page in PAGES:
        assert stack.flower(page)[0] == 401, page
        assert stack.flower(page, secret="wrong")[0] == 401, page
        assert stack.flower(page, secret=secret)[0] == 200, page
    for deed in DEEDS:
        assert stack.flower(deed, secret=secret, method="POST")[0] == 403, deed


def test_the_console_of_the_pooler_obeys_only_its_administrator(stack: ComposeStack) -> None:
    script = (
        "PGPASSWORD=$(cat /etc/bluegreen/secrets/{0}) psql -XAt -h pooler -p 6432"
        " -U {0} -d pgbouncer -c 'SHOW DATABASES' 2>&1"
    )
    monitor = stack.execute("health-monitor", "sh", "-c", script.format("bg_pooler_admin")).out
    assert "app|" in monitor
    as_a_role = stack.execute("health-monitor", "sh", "-c", script.format("bg_health")).out
    assert "FATAL" in as_a_role
    assert "app|" not in as_a_role
    assert stack.execute(CONTROLLER, "bluegreen", "doctor").code == 0
