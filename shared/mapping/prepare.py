"""What the job puts on each side after the file ran on the target, and takes away at the end."""

from __future__ import annotations

from shared.domain.identifiers import ident, literal
from shared.domain.objects import JOB
from shared.mapping.job_schema import create_job_schema, drop_job_schema
from shared.mapping.landing import landing_last
from shared.mapping.made import keep_made
from shared.mapping.model import Mapping
from shared.mapping.renames import name_functions
from shared.mapping.retained import create_retained, drop_retained
from shared.mapping.triggers import create_triggers, drop_triggers


def prepare_green(mapping: Mapping) -> list[str]:
    """One transaction on the target, right after the file: names are final, and become sync."""
    return [
        "SET CONSTRAINTS ALL IMMEDIATE",  # a table with a check to come cannot be altered
        *create_job_schema(),
        *_triggers_on(mapping),
        *landing_last(mapping),
        *keep_made(mapping),
        *create_triggers(mapping, "final"),
        *at_cutover(mapping),
        *name_functions(mapping, "target", "final"),
        "SELECT bluegreen_job.to_sync()",
        *create_retained(mapping),
    ]


def at_cutover(mapping: Mapping) -> list[str]:
    """The function that the commit point calls: the file's own statements, with its own rights.

    It runs in the transaction that opens the target, so it happened if, and only if, the cutover
    did (`commit_new` in standing_pause.sql).
    """
    wanted = mapping.at_cutover
    if wanted is None:
        return []
    function = f"{ident(JOB, 'at_cutover')}()"
    settings = {"search_path": "pg_catalog, pg_temp", **wanted.statements[0].settings}
    fixed = " ".join(f"SET {name} = {value}" for name, value in settings.items())
    deeds = [
        text
        for each in wanted.statements
        for text in (*(f"SET LOCAL {k} = {v}" for k, v in each.settings.items()), each.text)
    ]
    lines = "".join(f"\n    EXECUTE {literal(text)};" for text in deeds)
    body = f"BEGIN{lines}\nEND"
    return [
        f"CREATE OR REPLACE FUNCTION {function} RETURNS void LANGUAGE plpgsql SECURITY DEFINER"
        f" {fixed} AS {literal(body)}",
        f"GRANT CREATE ON SCHEMA {ident(JOB)} TO {ident(wanted.run_as)}",  # to own a thing in it
        f"ALTER FUNCTION {function} OWNER TO {ident(wanted.run_as)}",
        f"REVOKE CREATE ON SCHEMA {ident(JOB)} FROM {ident(wanted.run_as)}",
        f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC",
    ]


def prepare_source(mapping: Mapping) -> list[str]:
    """One transaction on the source, any time before the cutover; changes no user object."""
    return [*create_job_schema(), *name_functions(mapping, "source", "sync")]


def finish_green(mapping: Mapping) -> list[str]:
    """On the target in state final, each statement by itself with a lock limit, to be repeated.

    The reverse publication must be gone: it names the landing columns. The schema goes last.
    """
    return [
        *drop_triggers(mapping, "final"),
        *drop_retained(mapping),
        *drop_landing(mapping),
        *drop_job_schema(),
    ]


def drop_landing(mapping: Mapping) -> list[str]:
    """On the target in state final: changes what `SELECT *` returns, so no session may run on."""
    statements = []
    for table in mapping.tables:
        drops = ", ".join(
            f"DROP COLUMN IF EXISTS {ident(column.final)}" for column in table.of("landing")
        )
        if drops:
            statements.append(f"ALTER TABLE {table.final.sql} {drops}")
    return statements


def settle_source(mapping: Mapping) -> list[str]:
    """On the source after a rollback, with traffic on it: validate what was put back unchecked.

    Each by itself; may be repeated; nothing where there was no cutover.
    """
    return [
        statement
        for table in mapping.tables
        for relaxation in table.relaxations
        for statement in relaxation.settle
    ]


def not_settled(mapping: Mapping) -> str | None:
    """Query on the source: constraints that rows written on the target break. None: never any."""
    found = {
        (relaxation.table or table.sync).sql
        for table in mapping.tables
        for relaxation in table.relaxations
        if relaxation.settle
    }
    tables = [f"{literal(name)}::regclass" for name in sorted(found)]
    if not tables:
        return None
    return (
        "SELECT format('%s of %s', conname, conrelid::regclass) FROM pg_constraint"
        f" WHERE contype IN ('c', 'f') AND NOT convalidated AND conrelid IN ({', '.join(tables)})"
    )


def _triggers_on(mapping: Mapping) -> list[str]:
    return [
        f"ALTER TABLE {table.final.sql} ENABLE TRIGGER {ident(name)}"
        for table in mapping.tables
        for name in table.triggers_off.values()
    ]
