"""Each service has what it needs and nothing of another's; no secret is seen where people look."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.adapters.compose.inventory import (
    AGENT_IDENTITIES,
    CONTROL_ADMINISTRATOR,
    IDENTITIES,
    SCRATCH_ADMINISTRATOR,
    SCRATCH_ROLE,
    Identity,
)
from tests.support.compose_stack import CONTROLLER, ComposeJourney, ComposeStack
from tests.support.control import FORBIDDEN

ONE_SHOT = {"prepare", "bootstrap"}
AS_ROOT = {"keeper", *ONE_SHOT}


def inspected(stack: ComposeStack) -> dict[str, dict[str, Any]]:
    """What the engine says of every container of the stack, by service."""
    listed = stack.compose("ps", "-aq").out.split()
    said = json.loads(stack.docker("inspect", *listed).out)
    return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in said}


@pytest.mark.parametrize("identity", IDENTITIES, ids=lambda identity: identity.service)
def test_a_service_holds_its_own_secrets_only(stack: ComposeStack, identity: Identity) -> None:
    script = "cd /etc/bluegreen/secrets && find . -type f -printf '%P %m %U\\n'"
    found = dict(
        (line.split()[0], tuple(line.split()[1:]))
        for line in stack.execute(identity.service, "sh", "-c", script).out.splitlines()
    )
    administrators = (CONTROL_ADMINISTRATOR, SCRATCH_ADMINISTRATOR)
    expected = {"postgres" if name in administrators else name for name in identity.vault_names()}
    expected |= {f"passfile/{name}" for name in expected if name.startswith("bg_repl_")}
    assert set(found) == expected
    assert {mode for mode, _ in found.values()} <= {"600"}
    assert {owner for _, owner in found.values()} <= {str(identity.uid)}


def test_every_container_is_closed(stack: ComposeStack) -> None:
    containers = inspected(stack)
    for service, one in containers.items():
        host = one["HostConfig"]
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        assert "no-new-privileges:true" in host["SecurityOpt"], service
        assert not host["Privileged"], service
        assert host["Memory"] > 0, service
        is_root = one["Config"]["User"] in ("", "root", "0")
        assert is_root == (service in AS_ROOT), service


def test_only_the_proxy_is_published_and_only_the_keeper_reaches_the_engine(
    stack: ComposeStack,
) -> None:
    containers = inspected(stack)
    published = {
        s for s, one in containers.items() if any(one["NetworkSettings"]["Ports"].values())
    }
    assert published == {"migration-proxy"}
    reach = {
        service
        for service, one in containers.items()
        if any(mount["Destination"].endswith("docker.sock") for mount in one["Mounts"])
    }
    assert reach == {"keeper"}
    assert set(containers["keeper"]["NetworkSettings"]["Networks"]) == {"none"}
    vault = {
        service
        for service, one in containers.items()
        if any(mount.get("Name", "").endswith("_vault") for mount in one["Mounts"])
    }
    assert vault == ONE_SHOT


def in_control(stack: ComposeStack, identity: Identity, *statements: str) -> list[str]:
    """What the control database says to each of them, given by that service under its login."""
    script = (
        f"export PGPASSWORD=$(cat /etc/bluegreen/secrets/{identity.control})\n"
        'while read -r said; do echo "== $(psql -XAt -h postgres-control'
        f' -U {identity.control} -d bluegreen_control -c "$said" 2>&1 | head -n 1)"; done'
    )
    found = stack.execute(identity.service, "sh", "-c", script, feed="\n".join(statements) + "\n")
    return [line.removeprefix("== ") for line in found.out.splitlines()]


FINISH = "INSERT INTO bluegreen_control.request (job, what, by) VALUES ('x', 'finish', 'nobody')"
REFUSALS = ("permission denied", "must be owner", "row-level security")


@pytest.mark.parametrize("identity", AGENT_IDENTITIES, ids=lambda identity: identity.service)
def test_a_login_at_the_control_database_does_its_work_and_no_more(
    stack: ComposeStack, identity: Identity
) -> None:
    if identity.service == CONTROLLER:  # the coordinator writes commands, and people steer there
        forbidden = [FORBIDDEN[what] for what in FORBIDDEN if what != "no command is changed"]
    else:
        forbidden = [*FORBIDDEN.values(), FINISH]
    is_owner, jobs, *said = in_control(
        stack, identity, "SELECT pg_has_role('bg_control', 'MEMBER')",
        "SELECT count(*) FROM bluegreen_control.job", *forbidden,
    )  # fmt: skip
    assert is_owner == "f"
    assert jobs.isdigit(), jobs
    for statement, answer in zip(forbidden, said, strict=True):
        assert any(refusal in answer for refusal in REFUSALS), (statement, answer)


NOT_FOR_A_MOMENT = "datname !~ '^bluegreen_(scratch|aside)_'"
SUPERUSERS = "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolsuper"


def test_whoever_restores_is_a_superuser_of_the_scratch_server_alone(stack: ComposeStack) -> None:
    assert stack.sql("postgres-control", SUPERUSERS, "postgres") == "postgres"
    assert stack.sql("postgres-scratch", SUPERUSERS, "postgres") == f"{SCRATCH_ROLE} postgres"
    kept = "SELECT string_agg(datname, ' ') FROM pg_database WHERE NOT datistemplate"
    assert stack.sql("postgres-scratch", f"{kept} AND {NOT_FOR_A_MOMENT}", "postgres") == "postgres"
    other = (
        f"PGPASSWORD=$(cat /etc/bluegreen/secrets/{SCRATCH_ROLE}) psql -XAt -h postgres-control"
        f" -U {SCRATCH_ROLE} -d bluegreen_control -c 'SELECT 1' 2>&1"
    )
    assert "authentication failed" in stack.execute("backup", "sh", "-c", other).out


def test_servers_and_agents_reach_no_network_outside(stack: ComposeStack) -> None:
    out = "import socket; socket.create_connection(('1.1.1.1', 53), 3)"
    for service in ("replicator", CONTROLLER, "pooler"):
        said = stack.execute(service, "python", "-c", out)
        assert "unreachable" in said.err or "timed out" in said.err, said.err


ASK = (
    "import socket, sys\n"
    "s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(sys.argv[1])\n"
    "b = sys.argv[2].encode()\n"
    "s.sendall(b'POST / HTTP/1.0\\r\\nContent-Length: %d\\r\\n\\r\\n' % len(b) + b)\n"
    "print(s.makefile().read())\n"
)
STRANGE = (
    '{"order": "run", "colour": "blue", "image": "debian"}',
    '{"order": "start", "colour": "red", "limit_s": 5}',
    '{"order": "start_deed", "colour": "green", "name": "x", "program": "sh", "args": []}',
    '{"order": "start_deed", "colour": "green", "name": "x", "program": "pg_rewind",'
    ' "args": ["; rm -rf /"]}',
    '{"order": "set_recovery", "colour": "green", "standby": true,'
    ' "settings": {"restore_command": "touch /tmp/x"}}',
    '{"order": "set_recovery", "colour": "green", "standby": true,'
    ' "settings": {"primary_conninfo": "host=x service=y"}}',
    "not JSON",
)


def test_the_keeper_hears_a_few_orders_and_obeys_no_other(stack: ComposeStack) -> None:
    def ask(service: str, way: str, order: str) -> str:
        path = f"/run/keeper/{way}/keeper.sock"
        return stack.execute(service, "python", "-c", ASK, path, order).out

    look = '{"order": "look", "colour": "blue"}'
    for service, way in (("replicator", "all"), ("health-monitor", "fence")):
        said = ask(service, way, look)
        assert "200" in said.splitlines()[0], said
        assert '"running": true' in said
    for order in STRANGE:
        assert "400" in ask("replicator", "all", order).splitlines()[0], order
    stop = '{"order": "stop", "colour": "blue", "mode": "fast", "limit_s": 5}'
    assert "403" in ask("health-monitor", "fence", stop).splitlines()[0]
    for service in ("validator", "backup", CONTROLLER, "proxy-agent"):
        assert stack.execute(service, "ls", "/run/keeper").code != 0


def secrets_of(stack: ComposeStack) -> dict[str, str]:
    """Every secret that a running service holds, by a name for people."""
    found = {}
    for identity in IDENTITIES:
        script = (
            "cd /etc/bluegreen/secrets && for f in $(ls -p | grep -v /); do echo $f $(cat $f); done"
        )
        for line in stack.execute(identity.service, "sh", "-c", script).out.splitlines():
            name, secret = line.split()
            found[f"{name} of {identity.service}"] = secret
    return found


def test_no_secret_is_seen_in_logs_inspect_processes_events_reports_or_flower(
    stack: ComposeStack, journey: ComposeJourney, command_lines: set[str]
) -> None:
    job = journey.submit("canary.sql", "CREATE TABLE IF NOT EXISTS canary (id bigint PRIMARY KEY);")
    journey.until_ended(job)
    listed = stack.compose("ps", "-aq").out.split()
    looks = {
        "logs": stack.compose("logs", "--no-color").out + stack.compose("logs").err,
        "inspect": stack.docker("inspect", *listed).out,
        "processes": "\n".join(command_lines),
        "report": journey.bluegreen("report", job).out + journey.bluegreen("logs", job).out,
        "history": journey.bluegreen("history", "--json").out,
        "configuration": journey.bluegreen("config", "show").out,
        "control": stack.execute(
            "postgres-control", "sh", "-c",
            "psql -U postgres -d bluegreen_control -XAtc \"SELECT string_agg(t::text, '') FROM"
            " bluegreen_control.history t\" ; psql -U postgres -d bluegreen_control -XAtc"
            " \"SELECT string_agg(t::text, '') FROM bluegreen_control.audit t\"",
        ).out,
        "events": stack.execute(CONTROLLER, "python", "-c", EVENTS).out,
        "logs of the deeds": stack.execute("backup", "sh", "-c", EVERY_LOG).out,
        **{f"Flower's {page}": stack.flower(page, secret=stack.secret("flower", "flower"))[1]
           for page in ("/tasks", "/workers", "/broker", "/metrics", "/api/tasks")},
        **{f"what {server} logged": stack.execute(server, "sh", "-c", SERVER_LOGS).out
           for server in SERVERS},
        **{f"live statements of {colour}": stack.sql(f"postgres-{colour}", STATEMENTS)
           for colour in ("blue", "green")},
    }  # fmt: skip
    assert all(looks.values()), {name: bool(text) for name, text in looks.items()}
    secrets = secrets_of(stack)
    assert len(secrets) > 20
    for where, text in looks.items():
        seen = [name for name, secret in secrets.items() if secret in text]
        assert seen == [], f"{where} shows {seen}"


SERVERS = ("postgres-blue", "postgres-green", "postgres-control", "postgres-scratch")
STATEMENTS = "SELECT string_agg(query, ' ') FROM pg_stat_statements"
SERVER_LOGS = "cat /var/lib/postgresql/data/log/*.json"
EVERY_LOG = "find /var/lib/bluegreen/logs -type f -exec cat {} +; echo read"
EVENTS = (
    "import os; from shared.settings import load\n"
    "from shared.adapters.queue.redis_bus import client\n"
    "print(client(load(os.environ)).xrange('bluegreen:events'))"
)
