"""While a job is live nobody but us changes the schema, and applications do not notice."""

from collections.abc import Iterator

import psycopg
import pytest

from shared.domain.errors import Broken
from tests.support.pair import Pair, pair
from tests.support.servers import VERSIONS
from tests.support.sides import BLUE, job_on
from workers.replicator.steps.freeze_schema import FreezeSchema

JOB = job_on(BLUE)


@pytest.fixture(scope="module", params=VERSIONS)
def servers(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with pair(request.param) as made:
        made.run(BLUE, "CREATE TABLE public.t (id int PRIMARY KEY, v int)")
        made.run(BLUE, "CREATE MATERIALIZED VIEW public.m AS SELECT id FROM public.t")
        made.run(BLUE, "GRANT SELECT ON public.t TO app")
        yield made


@pytest.fixture
def step(servers: Pair) -> Iterator[FreezeSchema]:
    step = FreezeSchema(servers.nodes)
    yield step
    step.undo(JOB)


def test_done_twice_is_done_once_and_undone_twice_leaves_nothing(
    servers: Pair, step: FreezeSchema
) -> None:
    assert not step.is_done(JOB)
    first, second = step.do(JOB), step.do(JOB)
    assert first.facts == second.facts
    assert step.is_done(JOB)
    for _ in range(2):
        step.undo(JOB)
        assert not step.is_done(JOB)
    assert servers.rows(BLUE, "SELECT evtname FROM pg_event_trigger") == []
    assert servers.rows(BLUE, "SELECT 1 FROM pg_namespace WHERE nspname = 'bluegreen_job'") == []


def test_the_job_has_what_holds_a_stream_back(servers: Pair, step: FreezeSchema) -> None:
    """Without it every stream would end in its pause: clients wait longer, and nothing says why."""
    step.do(JOB)
    assert servers.value(BLUE, "SELECT bluegreen.holds_back()") is True


@pytest.mark.parametrize(
    "ddl",
    [
        "CREATE TABLE public.other ()",
        "ALTER TABLE public.t ADD COLUMN w int",
        "ALTER TABLE public.t DROP COLUMN v",
        "DROP TABLE public.t CASCADE",
        "CREATE INDEX CONCURRENTLY some_index ON public.t (v)",
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "GRANT SELECT ON public.t TO PUBLIC",
        "COMMENT ON TABLE public.t IS 'x'",
        "DROP SCHEMA bluegreen_job CASCADE",
        "SELECT 1 AS one INTO public.other",
    ],
)
def test_even_the_administrator_changes_no_schema(
    servers: Pair, step: FreezeSchema, ddl: str
) -> None:
    step.do(JOB)
    with servers.connect(BLUE) as administrator:
        administrator.execute("SET bluegreen.allow = on")  # no setting opens it
        with pytest.raises(psycopg.errors.ObjectInUse, match=JOB.id):
            administrator.execute(ddl)
    assert servers.rows(BLUE, "SELECT 1 FROM pg_class WHERE relname = 'some_index'") == []


@pytest.mark.parametrize(
    "work",
    [
        "CREATE TEMP TABLE x (id serial PRIMARY KEY, v text); CREATE INDEX ON x (v);"
        " ALTER TABLE x ADD COLUMN w int; COMMENT ON TABLE x IS 'y'; DROP TABLE x",
        "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "REFRESH MATERIALIZED VIEW public.m",
        "REINDEX TABLE public.t",
        "INSERT INTO public.t VALUES (1, 1); DELETE FROM public.t; TRUNCATE public.t",
        "ANALYZE public.t",
    ],
)
def test_work_that_changes_no_shared_schema_goes_on(
    servers: Pair, step: FreezeSchema, work: str
) -> None:
    step.do(JOB)
    servers.run(BLUE, work)


def test_our_own_role_passes_also_as_another(servers: Pair, step: FreezeSchema) -> None:
    step.do(JOB)
    servers.run(
        BLUE, "SET ROLE app; CREATE TEMP TABLE y (); RESET ROLE; CREATE TABLE public.ours ();"
        " DROP TABLE public.ours", user="bg_replicator",
    )  # fmt: skip


def test_the_fingerprint_knows_a_changed_schema_and_only_that(
    servers: Pair, step: FreezeSchema
) -> None:
    before = step.do(JOB).facts
    servers.run(BLUE, "INSERT INTO public.t VALUES (7, 7); CREATE TEMP TABLE z ()")
    assert step.do(JOB).facts == before
    servers.run(BLUE, "ALTER TABLE public.t ALTER v SET DEFAULT 3", user="bg_replicator")
    assert step.do(JOB).facts != before


def test_objects_of_another_job_stop_it(servers: Pair, step: FreezeSchema) -> None:
    step.do(JOB)
    with pytest.raises(Broken, match=JOB.id):
        step.do(JOB.model_copy(update={"id": "another"}))
