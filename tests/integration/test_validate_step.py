"""The step `validate` asks the live catalog of the active side, with the validator's own rights."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.adapters.drivers.node_factory import make_nodes
from shared.domain.errors import Refused
from shared.domain.facts import Validation
from shared.domain.kinds import Kind
from shared.domain.objects import AGENT_ROLES
from tests.support.stack import Stack, running_stack
from tests.support.steps import a_job, done, undone
from workers.validator.steps.validate import Validate


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        with stack.connect("app") as connection:
            connection.execute("CREATE TABLE users (id bigserial PRIMARY KEY, email text)")
            connection.execute("CREATE VIEW mails AS SELECT email FROM users")
        yield stack


@pytest.fixture
def step(stack: Stack) -> Validate:
    return Validate(make_nodes(stack.settings, AGENT_ROLES["validator"]))


def test_a_good_file_is_done_with_its_plan_and_again(step):
    job = a_job(
        Kind.SAFE,
        sql="ALTER TABLE users ADD COLUMN age int;\n"
        "CREATE INDEX CONCURRENTLY users_age ON users (age);",
    )
    for _ in range(2):
        found = Validation.model_validate(done(step, job).facts)
        assert found.migration_type == "safe"
        assert [group.statements for group in found.plan] == [(0,), (1,)]
        assert [group.transaction for group in found.plan] == [True, False]
        assert found.locks == {"users": "AccessExclusiveLock"}
    undone(step, job)


@pytest.mark.parametrize(
    ("kind", "sql", "message"),
    [
        (Kind.SAFE, "SELECT 1;\nALTER TABLE userz ADD a int", "f.sql:2:13: relation"),
        (Kind.RISKY, "ALTER TABLE users DROP COLUMN email", "view mails reads it"),
        (Kind.SAFE, "ALTER TABLE users ALTER id TYPE int", "claimed safe, needs risky"),
        (Kind.RISKY, "ALTER SYSTEM SET work_mem = '1GB'", "ALTER SYSTEM"),
        (Kind.SAFE, "GRANT SELECT ON users TO nobody_here", 'role "nobody_here"'),
    ],
)
def test_a_bad_file_is_refused_with_its_place_and_a_remedy(step, kind, sql, message):
    with pytest.raises(Refused) as caught:
        done(step, a_job(kind, sql=sql))
    assert message in caught.value.message
    assert caught.value.message.startswith("f.sql:")
