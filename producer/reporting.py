"""`bluegreen report`: collect what is known of a job, and write it in the form that was asked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Literal

from producer.configuration import Configuration
from producer.output import SCHEMA
from producer.report import report_document
from producer.report_html import page
from producer.report_markdown import markdown
from producer.store import open_store, settings_of
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.switch_store import SwitchStore
from shared.domain.errors import Refused

Form = Literal["markdown", "json", "html"]


def report(configuration: Configuration, job: str, form: Form, output: Path | None) -> None:
    """Raises Refused when there is no such job, or the file cannot be written."""
    settings = settings_of(configuration)
    store = open_store(settings)
    record = store.job(job)
    database = ControlDatabase(settings, application_name="bluegreen/producer")
    switches = SwitchStore(database).of_job(job)
    body = report_document(record, store.steps(job), switches)
    text = {
        "json": lambda: json.dumps({"schema": SCHEMA, **body}, default=str) + "\n",
        "markdown": lambda: markdown(body, switches),
        "html": lambda: page(body, switches),
    }[form]()
    _write(text, output)


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
