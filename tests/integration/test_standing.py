"""The standing schema on real servers: fence, lift, terminate, and who may execute what."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from shared.adapters.postgres import PsycopgSession, translate
from shared.adapters.standing.standing import install
from shared.domain.errors import Transient
from tests.support.cluster import Server, postgres
from tests.support.roles import DATABASE, create_roles

FENCE_LIMIT_S = 5.0


@pytest.fixture(scope="module", params=[15, 18])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with postgres(request.param) as server:
        with server.connect() as admin:
            create_roles(admin)
        with server.connect(DATABASE) as admin:
            for _ in range(2):  # a repeat changes nothing
                install(
                    PsycopgSession(admin), application_role="app", administrator="postgres",
                    exempt_roles=["reporting"],
                )  # fmt: skip
            admin.execute("CREATE SCHEMA bluegreen_job")
            for renamer in ("to_final", "to_sync"):
                admin.execute(
                    f"CREATE FUNCTION bluegreen_job.{renamer}() RETURNS void LANGUAGE sql AS ''"
                )
            admin.execute("CREATE ROLE reporting LOGIN")
            admin.execute("CREATE ROLE other LOGIN")
            admin.execute("CREATE ROLE nobody_logs_in_as NOLOGIN")
            admin.execute("CREATE TABLE public.written (id bigserial PRIMARY KEY)")
            admin.execute("GRANT ALL ON public.written, public.written_id_seq TO app, other")
        yield server


@pytest.fixture
def proxy(server: Server) -> Iterator[psycopg.Connection]:
    """A session of the proxy-agent on a server that is open, and is left open."""
    with server.connect(DATABASE, "bg_proxy") as connection:
        yield connection
        connection.execute("SELECT bluegreen.lift()")


def value(connection: psycopg.Connection, text: str, *params: object) -> object:
    row = connection.execute(text, params).fetchone()
    assert row is not None
    return row[0]


def fence_and_empty(proxy: psycopg.Connection) -> None:
    """Fence, then end sessions until two looks in a row find none."""
    proxy.execute("SELECT bluegreen.fence()")
    empty = looks = 0
    deadline = time.monotonic() + FENCE_LIMIT_S
    while empty < 2:
        assert time.monotonic() < deadline, "sessions of the application would not end"
        left = value(proxy, "SELECT left_over FROM bluegreen.terminate(%s)", looks > 3)
        empty = empty + 1 if left == 0 else 0
        looks += 1


def test_a_fence_takes_the_login_of_everyone_but_ours_and_the_exempt(
    server: Server, proxy: psycopg.Connection
) -> None:
    assert value(proxy, "SELECT bluegreen.is_fenced()") is False
    assert value(proxy, "SELECT bluegreen.fence()") == 2
    assert value(proxy, "SELECT bluegreen.is_fenced()") is True
    for role in ("app", "other"):
        with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
            server.connect(DATABASE, role)
    for role in ("reporting", "bg_proxy", "bg_health", "bg_pooler", "postgres"):
        server.connect(DATABASE, role).close()


def test_a_second_fence_keeps_the_list_of_the_first(proxy: psycopg.Connection) -> None:
    proxy.execute("SELECT bluegreen.fence()")
    assert value(proxy, "SELECT bluegreen.fence()") == 0
    assert value(
        proxy, "SELECT array_agg(name::text ORDER BY name) FROM bluegreen.fenced_role"
    ) == [
        "app",
        "other",
    ]


def test_a_lift_gives_the_login_back_to_exactly_those(
    server: Server, proxy: psycopg.Connection
) -> None:
    proxy.execute("SELECT bluegreen.fence()")
    assert value(proxy, "SELECT bluegreen.lift()") == 2
    assert value(proxy, "SELECT bluegreen.lift()") == 0
    server.connect(DATABASE, "app").close()
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        server.connect(DATABASE, "nobody_logs_in_as")


def test_terminate_ends_open_transactions_and_then_finds_none(
    server: Server, proxy: psycopg.Connection
) -> None:
    with server.connect(DATABASE, "app") as client:
        client.autocommit = False
        client.execute("INSERT INTO written DEFAULT VALUES")
        fence_and_empty(proxy)
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")
        client.close()


def test_no_row_is_written_behind_a_confirmed_fence_in_a_storm_of_logins(
    server: Server, proxy: psycopg.Connection
) -> None:
    stop = threading.Event()

    def storm() -> None:
        while not stop.is_set():
            try:
                with psycopg.connect(server.dsn(DATABASE, "app"), autocommit=True) as client:
                    client.execute("INSERT INTO public.written DEFAULT VALUES")
            except psycopg.OperationalError:
                stop.wait(0.001)

    clients = [threading.Thread(target=storm) for _ in range(4)]
    for client in clients:
        client.start()
    admin = server.connect(DATABASE)
    try:
        for _ in range(10):
            fence_and_empty(proxy)
            rows = value(admin, "SELECT count(*) FROM written")
            stop.wait(0.05)
            assert value(admin, "SELECT count(*) FROM written") == rows
            proxy.execute("SELECT bluegreen.lift()")
            deadline = time.monotonic() + FENCE_LIMIT_S
            while value(admin, "SELECT count(*) FROM written") == rows:
                assert time.monotonic() < deadline, "nobody wrote after the lift"
                stop.wait(0.005)
    finally:
        stop.set()
        for client in clients:
            client.join()
        admin.close()


def test_the_pooler_learns_verifiers_of_application_roles_only(server: Server) -> None:
    with server.connect(DATABASE, "bg_pooler") as pooler:
        ask = "SELECT count(*) FROM bluegreen.pooler_auth(%s)"
        assert value(pooler, ask, "app") == 1
        assert value(pooler, ask, "postgres") == 0
        assert value(pooler, ask, "bg_repl_blue") == 0
        assert value(pooler, ask, "bg_owner") == 0


@pytest.mark.parametrize("role", ["app", "bg_pooler", "bg_health", "bg_validator", "bg_backup"])
def test_nobody_else_may_fence_or_commit(server: Server, role: str) -> None:
    with server.connect(DATABASE, role) as connection:
        for call in ("fence()", "lift()", "terminate()", "commit_new(1, now())", "hold(1, 'new')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT bluegreen.{call}")


def test_the_proxy_agent_has_no_rights_of_its_own(proxy: psycopg.Connection) -> None:
    for statement in (
        "ALTER ROLE app NOLOGIN",
        "DELETE FROM bluegreen.exempt_role",
        "UPDATE bluegreen.attempt SET state = 'open'",
        "SELECT bluegreen.rename(1, 'forward', true)",
        "SELECT * FROM public.written",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            proxy.execute(statement)


def test_a_commit_that_arrives_too_late_opens_nothing(proxy: psycopg.Connection) -> None:
    number = value(proxy, "SELECT coalesce(max(attempt), 0) + 1 FROM bluegreen.attempt")
    proxy.execute("SELECT bluegreen.open_attempt(%s, 'job', 'forward', 'new', false)", (number,))
    late = "SELECT bluegreen.commit_new(%s, clock_timestamp() - interval '1 ms')"
    assert value(proxy, late, number) == "open"
    assert value(proxy, "SELECT bluegreen.commit_new(%s, 'infinity')", number) == "committed"


def test_an_attempt_acts_only_while_it_is_open_and_the_newest(proxy: psycopg.Connection) -> None:
    newest = value(proxy, "SELECT coalesce(max(attempt), 0) FROM bluegreen.attempt")
    assert isinstance(newest, int)
    older, newer = newest + 1, newest + 2
    opened = "SELECT bluegreen.open_attempt(%s, 'job', 'forward', 'old', false)"
    proxy.execute(opened, (older,))
    proxy.execute("SELECT bluegreen.fence_old(%s)", (older,))
    assert value(proxy, "SELECT bluegreen.give_back(%s)", older) == "burnt"
    assert value(proxy, "SELECT bluegreen.is_fenced()") is False
    for late in (older, newer):
        with pytest.raises(psycopg.Error) as refusal:
            proxy.execute("SELECT bluegreen.fence_old(%s)", (late,))
        assert isinstance(translate(refusal.value), Transient)
        assert translate(refusal.value).code == "BG001"
    proxy.execute(opened, (newer,))
    with pytest.raises(psycopg.Error, match="not newer"):
        proxy.execute(opened, (older,))
    assert value(proxy, "SELECT bluegreen.commit_old(%s)", newer) == "committed"
    assert value(proxy, "SELECT bluegreen.give_back(%s)", newer) == "committed"
    assert value(proxy, "SELECT bluegreen.burn(%s)", newer) == "committed"


def test_what_old_jobs_left_goes_and_the_newest_stays(server: Server) -> None:
    with server.connect(DATABASE) as admin:
        admin.execute("TRUNCATE bluegreen.applied, bluegreen.attempt, bluegreen.failover")
        admin.execute(
            "INSERT INTO bluegreen.applied (job, part, at)"
            " SELECT 'j' || days, part, now() - make_interval(days => days)"
            " FROM unnest(ARRAY[95, 93, 91, 1]) AS days, unnest(ARRAY['a', 'b']) AS part"
        )
        admin.execute(
            "INSERT INTO bluegreen.attempt (attempt, job, way, side, returning_stream, opened_at)"
            " SELECT 100 - days, 'j' || days, 'forward', 'old', true, now() - make_interval(days =>"
            " days) FROM unnest(ARRAY[95, 93, 91]) AS days"
        )
        admin.execute(
            "INSERT INTO bluegreen.failover (at, dead, promoted_at, healed_at) VALUES"
            " (now() - interval '1 year', 'blue', '0/1', now() - interval '92 days'),"
            " (now() - interval '1 year', 'green', '0/1', NULL)"
        )
    with server.connect(DATABASE, "bg_replicator") as replicator:
        assert value(replicator, "SELECT bluegreen.forget_old(90)") == 6 + 2 + 1
        assert value(replicator, "SELECT bluegreen.forget_old(0)") == 0
    with server.connect(DATABASE) as admin:
        assert value(admin, "SELECT array_agg(DISTINCT job) FROM bluegreen.applied") == ["j1"]
        assert value(admin, "SELECT array_agg(attempt) FROM bluegreen.attempt") == [9]
        assert value(admin, "SELECT array_agg(dead) FROM bluegreen.failover") == ["green"]
        admin.execute("UPDATE bluegreen.applied SET at = now() - interval '1 year'")
        assert value(admin, "SELECT bluegreen.forget_old(90)") == 0, "the newest job's stay"
        admin.execute("TRUNCATE bluegreen.applied, bluegreen.attempt, bluegreen.failover")


def test_only_the_replicator_forgets(server: Server) -> None:
    for role in ("bg_proxy", "bg_health", "app"):
        with (
            server.connect(DATABASE, role) as other,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            other.execute("SELECT bluegreen.forget_old(90)")
