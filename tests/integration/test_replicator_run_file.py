"""The file runs verbatim, whole or not at all, also when the one who sent it dies."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest

from shared.domain.errors import MigrationError, Refused, Transient
from tests.support.pair import Pair, pair
from tests.support.servers import VERSIONS
from tests.support.sides import BLUE, job_on
from tests.support.wait import until
from workers.replicator import run_file
from workers.replicator.run_file import Part


@pytest.fixture(scope="module", params=VERSIONS)
def servers(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with pair(request.param) as made:
        yield made


@pytest.fixture
def clean(servers: Pair) -> Iterator[Pair]:
    yield servers
    servers.run(BLUE, "DELETE FROM bluegreen.applied; DROP TABLE IF EXISTS public.t, public.u")


def part_of(sql: str, **more: tuple[str, ...]) -> Part:
    return Part("file", sql, 0, "app", **more)


def test_everything_of_a_part_is_applied_with_its_row_and_as_the_role_named(clean: Pair) -> None:
    sql = "CREATE SCHEMA IF NOT EXISTS own; CREATE TABLE own.t (id int) -- no end"
    job = job_on(BLUE, sql=sql)
    part = part_of(
        sql, before=("CREATE TABLE public.t ()",), after=("ALTER TABLE own.t ADD w int",)
    )
    run_file.run_part(clean.node(BLUE), job, part)
    with clean.node(BLUE).session() as session:
        assert run_file.is_applied(session, job, "file")
        assert session.value("SELECT pg_get_userbyid(relowner) FROM pg_class"
                             " WHERE oid = 'own.t'::regclass") == "app"  # fmt: skip
    run_file.run_part(clean.node(BLUE), job, part)  # the second is not run again
    clean.run(BLUE, "DROP SCHEMA own CASCADE")


@pytest.mark.parametrize(
    ("sql", "place", "words"),
    [
        ("SELECT 1;\n  SELECT ü.x;", "2:10", "missing FROM-clause"),
        ("SELECT 'ü'; SELECT nothing FROM pg_class", "1:20", "nothing"),
        ("SELECT 1;\n\n  -- why\n  SELECT 1 / 0;\nSELECT 2", "4:3", "division by zero"),
        ("CREATE TABLE own (a int);\nINSERT INTO own VALUES (NULL);\n"
         "ALTER TABLE own ALTER a SET NOT NULL", "3:1", "null values"),
    ],
)  # fmt: skip
def test_an_error_names_file_line_and_column_and_leaves_nothing(
    clean: Pair, sql: str, place: str, words: str
) -> None:
    job = job_on(BLUE, sql=sql)
    clean.run(BLUE, "GRANT CREATE ON SCHEMA public TO app")
    with pytest.raises(Refused, match=f"^0001.sql:{place}: .*{words}"):
        run_file.run_part(clean.node(BLUE), job, part_of(sql, before=("CREATE TABLE u ()",)))
    with clean.node(BLUE).session() as session:
        assert not run_file.is_applied(session, job, "file")
        assert session.value("SELECT to_regclass('public.u')") is None
        assert session.value("SELECT to_regclass('public.own')") is None


def test_an_error_of_our_own_statements_is_not_blamed_on_the_file(clean: Pair) -> None:
    job = job_on(BLUE, sql="SELECT 1")
    with pytest.raises(MigrationError, match="our own statements"):
        run_file.run_part(clean.node(BLUE), job, part_of("SELECT 1", after=("SELECT nonsense",)))


def test_a_lock_that_is_not_given_is_transient(clean: Pair) -> None:
    clean.run(BLUE, "CREATE TABLE public.t ()")
    clean.run(BLUE, "ALTER TABLE public.t OWNER TO app")
    sql = "ALTER TABLE public.t ADD a int"
    with clean.connect(BLUE) as holder, holder.transaction():
        holder.execute("LOCK TABLE public.t IN ACCESS SHARE MODE")
        with pytest.raises(Transient, match="lock timeout"):
            run_file.run_part(
                clean.node(BLUE), job_on(BLUE, sql=sql), part_of(sql), lock_limit_s=0.05
            )


def test_the_server_ends_what_a_killed_worker_began(clean: Pair) -> None:
    """kill -9 in the middle of the first statement: the second, and the COMMIT, still come."""
    port = clean.settings.nodes[BLUE].port
    program = textwrap.dedent(
        f"""
        import sys, psycopg
        from shared.adapters.postgres import PsycopgSession
        connection = psycopg.connect(
            "host=127.0.0.1 port={port} user=postgres dbname=app", autocommit=True)
        print("begun", flush=True)
        PsycopgSession(connection).script(
            "BEGIN; SELECT pg_sleep(1); CREATE TABLE public.t (); COMMIT")
        """
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    sleeping = "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    until(lambda: clean.value(BLUE, sleeping), limit_s=20, what="the statement runs")
    child.kill()
    child.wait()
    child.stdout.close()
    until(
        lambda: clean.value(BLUE, "SELECT to_regclass('public.t') IS NOT NULL"),
        limit_s=20, what="the transaction of the killed worker commits",
    )  # fmt: skip
