"""`bluegreen report`: collect what is known of a job, and write it in the form that was asked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Literal

from producer.configuration import Configuration
from producer.connections import open_store, settings_of
from producer.output import SCHEMA
from producer.report import Switch, report_document
from producer.report_html import page
from producer.report_markdown import markdown
from shared.domain.errors import Refused
from shared.domain.facts import Cutover
from shared.ports import JobRecord

Form = Literal["markdown", "json", "html"]


def report(configuration: Configuration, job: str, form: Form, output: Path | None) -> None:
    """Raises Refused when there is no such job, or the file cannot be written."""
    settings = settings_of(configuration)
    store = open_store(settings)
    record = store.job(job)
    switches = switches_of(record)
    body = report_document(record, store.steps(job), switches)
    text = {
        "json": lambda: json.dumps({"schema": SCHEMA, **body}, default=str) + "\n",
        "markdown": lambda: markdown(body),
        "html": lambda: page(body, switches),
    }[form]()
    _write(text, output)


def switches_of(record: JobRecord) -> list[Switch]:
    """The switches of a job, oldest first."""
    body = record.facts.get(Cutover.step)
    if body is None:
        return []
    cutover = Cutover.model_validate(body)
    return [Switch(cutover.direction, cutover.window_ms, cutover.phases_ms)]


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
