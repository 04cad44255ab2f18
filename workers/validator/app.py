"""The validator's process: it looks at the file, at the rows and at the live statements."""

from __future__ import annotations

from collections.abc import Sequence

from shared.adapters.control.comparison_store import ComparisonStore
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.drivers.node_factory import make_nodes
from shared.adapters.queue.celery_shell import make_worker
from shared.domain.objects import AGENT_ROLES
from shared.ports import Step
from shared.settings import Settings
from workers.validator.steps.check_statements import CheckStatements
from workers.validator.steps.compare_rows import CompareRows
from workers.validator.steps.validate import Validate


def build_steps(settings: Settings) -> Sequence[Step]:
    nodes = make_nodes(settings, AGENT_ROLES["validator"])
    store = ComparisonStore(
        ControlDatabase(settings, application_name="bluegreen/comparisons", agent="validator")
    )
    return (
        Validate(nodes),
        CompareRows(nodes, store),
        CheckStatements(nodes, settings.application_role),
    )


app = make_worker("validator", build_steps)
