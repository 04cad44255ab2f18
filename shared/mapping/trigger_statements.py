"""The statements that make, arm and drop a trigger of a job and its function."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.identifiers import ident, literal
from shared.domain.objects import JOB

PINNED_PATH = {"search_path": "pg_catalog, pg_temp"}
"""For a function that also runs in the application's sessions."""

EVERY_CHANGE = "AFTER INSERT OR UPDATE OR DELETE"


def body_of(statements: str) -> str:
    """The text of a function whose names are columns wherever they could be variables, too."""
    return f"#variable_conflict use_column\nBEGIN{statements}END"


def create_function(name: str, text: str, settings: Mapping[str, str]) -> str:
    """A trigger function in the job's schema; `settings` hold while it runs."""
    fixed = "".join(f" SET {key} = {value}" for key, value in settings.items())
    return (
        f"CREATE OR REPLACE FUNCTION {ident(JOB, name)}() RETURNS trigger LANGUAGE plpgsql{fixed}"
        f" AS {literal(text)}"
    )


def create_trigger(
    trigger: str, when: str, relation: str, function: str, *, each: str = "ROW", only: str = ""
) -> str:
    """`when`: BEFORE or AFTER what; `only`: a condition over the row."""
    condition = f" WHEN ({only})" if only else ""
    return (
        f"CREATE OR REPLACE TRIGGER {ident(trigger)} {when} ON {relation}"
        f" FOR EACH {each}{condition} EXECUTE FUNCTION {ident(JOB, function)}()"
    )


def in_apply_only(trigger: str, relation: str) -> str:
    """From here on it fires for what replication applies, and for nobody else."""
    return f"ALTER TABLE {relation} ENABLE REPLICA TRIGGER {ident(trigger)}"


def drop_trigger(trigger: str, relation: str) -> str:
    return f"DROP TRIGGER IF EXISTS {ident(trigger)} ON {relation}"
