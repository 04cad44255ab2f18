"""`bluegreen doctor`: everything a job needs, tried once from here, each with what to do about it.

It looks and changes nothing. A check that fails never keeps the next one from being made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from producer.administrator import administrator
from producer.configuration import Configuration
from producer.connections import active_side
from producer.doctor.outside import NEEDED_OUTSIDE, looks_outside
from producer.doctor.places import backup_directory, secrets, sinks
from producer.doctor.remedies import is_compose, remedy_of
from producer.exit_codes import ExitCode
from producer.output import Output
from producer.services import service
from producer.store import open_store, settings_of
from shared.adapters.compose.host import UP, Host, find_stack
from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.embedded.ailing import what_helps
from shared.adapters.embedded.layout import Layout
from shared.adapters.postgres import PsycopgSession, connect
from shared.adapters.queue import redis_bus
from shared.adapters.queue.celery_client import ping_agents
from shared.domain.environment import Colour
from shared.domain.errors import Broken, MigrationError, Transient
from shared.settings import Settings, settings_path

EXISTING = "an existing server: it is not started, stopped or rewound from here"


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    sentence: str
    remedy: str = ""


def doctor(configuration: Configuration, output: Output) -> ExitCode:
    """Say every check; 0 when all hold, 69 when a service is away, 7 when something else is."""
    checks: list[Check] = []
    codes: list[ExitCode] = []
    for check, code in _checks(configuration):
        checks.append(check)
        codes.append(code)
        output.say(f"{'ok' if check.ok else 'FAILED':<7} {check.name:<18} {check.sentence}")
        if check.remedy:
            output.say(f"{'':<26} {check.remedy}")
    code = ExitCode.UNREACHABLE if ExitCode.UNREACHABLE in codes else max(codes)
    output.document({"checks": [asdict(check) for check in checks], "exitCode": int(code)})
    return code


def _checks(configuration: Configuration) -> Iterator[tuple[Check, ExitCode]]:
    """Inside a stack everything that a job needs; outside of the compose stack its host first."""
    host = find_stack(configuration.environment)
    if host is None or settings_path(configuration.environment).exists():
        settings = settings_of(configuration)
        yield from (_run(name, look, settings) for name, look in _looks(settings, configuration))
        return
    outside: list[Check] = []
    for name, look in looks_outside(host):
        if name not in NEEDED_OUTSIDE and not all(
            check.ok for check in outside[: len(NEEDED_OUTSIDE)]
        ):
            return  # it would only say once more what is missing
        check, code = _run(name, look)
        outside.append(check)
        yield check, code
    if all(check.ok for check in outside):
        yield from _inside(host)


def _inside(host: Host) -> Iterator[tuple[Check, ExitCode]]:
    try:
        found = host.doctor_inside()
    except MigrationError as error:
        yield Check("inside", False, error.message, error.remedy), ExitCode.UNREACHABLE
        return
    for body in found:
        code = ExitCode.DONE if body["ok"] else ExitCode.NEEDS_OPERATOR
        yield Check(**body | {"name": f"inside: {body['name']}"}), code


def _run(
    name: str, look: Callable[[], str], settings: Settings | None = None
) -> tuple[Check, ExitCode]:
    try:
        return Check(name, True, look()), ExitCode.DONE
    except MigrationError as error:
        away = isinstance(error, Transient)
        code = ExitCode.UNREACHABLE if away else ExitCode.NEEDS_OPERATOR
        return Check(name, False, error.message, remedy_of(error, name, settings)), code


def _looks(
    settings: Settings, configuration: Configuration
) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "settings", lambda: f"{settings.state_dir}, database {settings.database}"
    yield "secrets", lambda: secrets(settings, settings_path(configuration.environment))
    yield "Redis", lambda: _redis(settings)
    yield "control database", lambda: _control(settings)
    for colour in Colour:
        yield colour.value, lambda colour=colour: _server(settings, colour)  # type: ignore[misc]
    yield "pooled door", lambda: _door(settings, "pooled door", settings.doors.pooled_port)
    yield "direct door", lambda: _door(settings, "direct door", settings.doors.direct_port)
    yield "routes", lambda: _routes(settings)
    yield "administrator", lambda: _administrator(settings, configuration)
    yield "agents", lambda: _agents(settings)
    if settings.alerts.urls:
        yield "alert sinks", lambda: sinks(settings)
    yield "backup directory", lambda: backup_directory(settings)


def _redis(settings: Settings) -> str:
    with service("Redis", settings.redis.host, settings.redis.port):
        redis_bus.check(settings)
    return f"{settings.redis.host}:{settings.redis.port} answers"


def _control(settings: Settings) -> str:
    live = open_store(settings).jobs(live_only=True)
    jobs = ", ".join(job.id for job in live) or "none"
    return f"{settings.control.host}:{settings.control.port} answers; live jobs: {jobs}"


def _server(settings: Settings, colour: Colour) -> str:
    node = settings.nodes[colour]
    with (
        service(f"PostgreSQL {colour.value}", node.host, node.port),
        connect(
            host=node.host,
            port=node.port,
            database="postgres",
            user=node.administrator,
            password=settings.secret(node.administrator),
            limit_s=5,
        ) as session,
    ):
        found = _identity(session, node.cluster_name)
    return found if node.driver != "remote" else f"{found}, {EXISTING}"


def _identity(session: PsycopgSession, expected: str) -> str:
    row = session.row(
        "SELECT current_setting('cluster_name'), current_setting('server_version'),"
        " pg_is_in_recovery()"
    )
    assert row is not None
    name, version, in_recovery = row
    if name != expected:
        raise Broken(f"expected the server {expected}, found {name}")
    return f"PostgreSQL {version.split()[0]}, {'follows' if in_recovery else 'accepts writes'}"


def _door(settings: Settings, name: str, port: int) -> str:
    role = settings.application_role
    with (
        service(name, settings.doors.host, port),
        connect(
            host=settings.doors.host,
            port=port,
            database=settings.database,
            user=role,
            password=settings.secret(role),
            limit_s=5,
        ) as session,
    ):
        side = session.value("SELECT current_setting('cluster_name')")
    return f"{settings.doors.host}:{port} leads {role} to {side}"


def _routes(settings: Settings) -> str:
    pooled, direct = active_side(settings), SymlinkDoor(settings).routed_to()
    if pooled is not direct:
        raise Broken(
            f"expected both doors to lead to one side, found pooled {pooled.value} and direct "
            f"{direct.value if direct else 'held'}",
            remedy="inside a cutover this lasts milliseconds; else `bluegreen proxy status`",
        )
    return f"both doors lead to {pooled.value}"


def _administrator(settings: Settings, configuration: Configuration) -> str:
    who = administrator(settings, active_side(settings), configuration.environment)
    who.check()
    return f"{who.user} on {who.colour.value} at {who.host}:{who.port}"


def _agents(settings: Settings) -> str:
    with service("Redis", settings.redis.host, settings.redis.port):
        answers = ping_agents(settings)
    silent = [agent for agent, seconds in answers.items() if seconds is None]
    if silent:
        raise Transient(
            f"expected every agent to answer through its queue, found {', '.join(silent)} silent",
            remedy=f"`docker compose logs` of them says why; {UP} starts what is missing"
            if is_compose(settings)
            else what_helps(Layout(settings.state_dir), silent),
        )
    return f"{len(answers)} answer through their queues"
