"""`bluegreen report`: collect what is known of a job, and write it in the form that was asked."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from producer.configuration import Configuration
from producer.output import SCHEMA
from producer.reports.document import report_document
from producer.reports.html import page
from producer.reports.markdown import markdown
from producer.store import open_store, settings_of
from shared.adapters.control.baseline_store import BaselineStore
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.health_store import HealthStore
from shared.adapters.control.switch_store import SwitchStore
from shared.domain.errors import Refused
from shared.domain.impact import impact_document
from shared.domain.kinds import Kind
from shared.ports import JobRecord, SwitchRecord

BEFORE = AFTER = timedelta(minutes=10)
"""Of the running record of the traffic, around the change."""
Form = Literal["markdown", "json", "html"]


def report(configuration: Configuration, job: str, form: Form, output: Path | None) -> None:
    """Raises Refused when there is no such job, or the file cannot be written."""
    body, switches = collect(configuration, job)
    text = {
        "json": lambda: json.dumps({"schema": SCHEMA, **body}, default=str) + "\n",
        "markdown": lambda: markdown(body, switches),
        "html": lambda: page(body, switches),
    }[form]()
    _write(text, output)


def collect(configuration: Configuration, job: str) -> tuple[dict[str, Any], list[SwitchRecord]]:
    """The report's document, and the switches with every sample of their probes.

    Raises Refused when there is no such job.
    """
    settings = settings_of(configuration)
    store = open_store(settings)
    record = store.job(job)
    database = ControlDatabase(settings, application_name="bluegreen/producer", agent="producer")
    switches = SwitchStore(database).of_job(job)
    announced = HealthStore(database).announced(job)
    impact = impact_of(database, record)
    return report_document(record, store.steps(job), switches, announced, impact), switches


def impact_of(database: ControlDatabase, job: JobRecord) -> dict[str, Any] | None:
    """What the migration changed in the application's speed; None where nothing was measured."""
    noted = HealthStore(database).seen(job.id, "impact")
    if noted is None:
        return None
    changed_at = datetime.fromisoformat(noted["changed_at"])
    record = BaselineStore(database)
    begin, end = changed_at - BEFORE, changed_at + AFTER
    if job.ended_at is not None and job.kind is Kind.RISKY:  # others are watched afterwards
        end = min(end, job.ended_at)
    return impact_document(
        record.between(job.database, begin, changed_at),
        record.between(job.database, changed_at, end),
        noted,
    )


def _write(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(
            f"expected to write the report to {output}, found {error.strerror}",
            remedy="choose another file with --output",
        ) from error
