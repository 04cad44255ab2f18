"""Options about how long things are kept: of `up`, and of the commands that remove what is old."""

from __future__ import annotations

from typing import Annotated

import typer

from producer.options import in_range, option
from shared.domain.retention_limits import LEAST_JOB_DAYS, LEAST_POINT_DAYS, MOST_DAYS

_job_days = in_range(LEAST_JOB_DAYS, MOST_DAYS, "days")
JustLook = Annotated[
    bool, typer.Option("--dry-run", help="Show what would go; nothing is removed.")
]
KeepJobs = Annotated[
    float | None,
    option(
        "--keep-jobs",
        "For how many days the details of an ended job stay [default: 90].",
        callback=_job_days,
    ),
]
KeepPoints = Annotated[
    float | None,
    option(
        "--keep-points",
        "For how many days rollback points stay [default: 7].",
        callback=in_range(LEAST_POINT_DAYS, MOST_DAYS, "days"),
    ),
]
OlderThan = Annotated[
    float | None,
    typer.Option(
        "--days", help="What is older goes [default: the stack's setting, 90].", callback=_job_days
    ),
]
