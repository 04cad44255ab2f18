"""What the application does to a derived row, given back to the old table's own column.

Its triggers are ordinary and stand on the derived table, names in state final. The column is set by
a function that fires none of the user's triggers, and needs a superuser's rights for that.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.identifiers import ident, literal
from shared.domain.objects import JOB, OWNER_ROLE, REVERSE_TRIGGER
from shared.mapping.derived_model import Derived, PutBack
from shared.mapping.expressions import changed, differs, one_row
from shared.mapping.model import Table
from shared.mapping.name_states import NameState
from shared.mapping.trigger_statements import (
    EVERY_CHANGE,
    PINNED_PATH,
    body_of,
    create_function,
    create_trigger,
    drop_trigger,
)

GIVING_BACK = "bluegreen.giving_back"
"""Session setting: `on` while a derived row gives back, so that the row there fills nothing."""
BEGIN_GIVING, END_GIVING = (
    f"PERFORM pg_catalog.set_config({literal(GIVING_BACK)}, {literal(value)}, true);"
    for value in ("on", "")
)
"""Statements of a body, and no setting of the function's own: for that a role that is no superuser
has no right. An error between them takes the first one back."""
_RIGHTS = (
    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET session_replication_role = replica"
)


def create_back_triggers(table: Table, made: Derived, number: int, state: NameState) -> list[str]:
    statements = []
    for i, each in enumerate(made.put_back):
        function = ident(JOB, f"put_back_{number}_{i}")
        statements.append(_setter(table, each, f"{number}_{i}"))
        statements.append(f"ALTER FUNCTION {function} OWNER TO {ident(OWNER_ROLE)}")
    given = _given(table, made, number)
    relation = made.name(state).sql
    return [
        *statements,
        create_function(f"give_back_{number}", given, PINNED_PATH | made.settings),
        create_trigger(_names(number)[0], EVERY_CHANGE, relation, f"give_back_{number}"),
        *_emptied(table, made, number, relation),
    ]


def drop_back_triggers(made: Derived, number: int, state: NameState) -> list[str]:
    return [drop_trigger(trigger, made.name(state).sql) for trigger in _names(number)]


def _names(number: int) -> tuple[str, str]:
    """Of the trigger that gives a row's values back, and of the one for TRUNCATE."""
    return f"{REVERSE_TRIGGER}_{number}", f"{REVERSE_TRIGGER}_{number}_empty"


def _setter(table: Table, each: PutBack, name: str) -> str:
    """Sets one landing column of one row. Its caller computed the value with rights of its own."""
    keys = table.key_columns
    parameters = ", ".join(
        [*(f"k{i} {column.type}" for i, column in enumerate(keys)), f"value {each.type}"]
    )
    where = " AND ".join(f"t.{ident(column.final)} = k{i}" for i, column in enumerate(keys))
    landing = ident(each.landing)
    body = f"""
BEGIN
    IF pg_catalog.pg_trigger_depth() = 0 THEN
        RAISE insufficient_privilege USING MESSAGE = 'this is called by a trigger only';
    END IF;
    {BEGIN_GIVING}
    UPDATE {table.final.sql} AS t SET {landing} = value
    WHERE {where} AND {differs([f"t.{landing}"], ["value"])};
    {END_GIVING}
END"""
    return (
        f"CREATE OR REPLACE FUNCTION {ident(JOB, f'put_back_{name}')}({parameters}) RETURNS void"
        f" LANGUAGE plpgsql {_RIGHTS} AS {literal(body)}"
    )


def _emptied(table: Table, made: Derived, number: int, relation: str) -> list[str]:
    """The application empties the derived table: TRUNCATE fires no row's trigger, and yet the old
    table's own column has to lose every value that it gave back."""
    function = f"put_back_none_{number}"
    changes = "".join(
        f"\n    UPDATE {table.final.sql} AS t SET {ident(each.landing)} = {each.fill} WHERE"
        f" {differs([f't.{ident(each.landing)}'], [f'({each.fill})::{each.type}'])};"
        for each in made.put_back
    )
    body = f"\nBEGIN\n    {BEGIN_GIVING}{changes}\n    {END_GIVING}\n    RETURN NULL;\nEND"
    return [
        f"CREATE OR REPLACE FUNCTION {ident(JOB, function)}() RETURNS trigger LANGUAGE plpgsql"
        f" {_RIGHTS} AS {literal(body)}",
        f"ALTER FUNCTION {ident(JOB, function)}() OWNER TO {ident(OWNER_ROLE)}",
        create_trigger(_names(number)[1], "AFTER TRUNCATE", relation, function, each="STATEMENT"),
    ]


def _given(table: Table, made: Derived, number: int) -> str:
    """What the application did to the derived row, done to the column of the old table."""
    keys = [ident(name) for name in made.key]
    moved = differs([f"new.{key}" for key in keys], [f"old.{key}" for key in keys])
    old = ", ".join(f"old.{key}" for key in keys)
    cleared = "\n".join(
        f"        PERFORM {ident(JOB, f'put_back_{number}_{i}')}({old}, {each.fill});"
        for i, each in enumerate(made.put_back)
    )
    given = "".join(
        _given_one(table, made, each, f"{number}_{i}") for i, each in enumerate(made.put_back)
    )
    return body_of(f"""
    IF tg_op = 'DELETE' THEN
{cleared}
        RETURN NULL;
    END IF;
    IF tg_op = 'UPDATE' THEN
        IF {moved} THEN
{cleared}
        END IF;
    END IF;{given}
    RETURN NULL;
""")


def _given_one(table: Table, made: Derived, each: PutBack, name: str) -> str:
    keys = [f"new.{ident(key)}" for key in made.key]
    reads = [(column, f"new.{ident(column)}") for column in each.reads]
    value = f"(SELECT ({each.expression})::{each.type} FROM {one_row(made.final.name, reads)})"
    watched = [ident(column) for column in dict.fromkeys([*made.key, *each.reads])]
    shown = " || ',' || ".join(f"{key}::text" for key in keys)
    lost = f"{literal(table.final.label)}, {shown}, {literal(each.sync)}, sqlerrm"
    checks = "".join(
        f"\n            IF NOT coalesce((SELECT {check} FROM"
        f" {one_row(table.sync.name, [(each.sync, value)])}), true) THEN"
        "\n                RAISE check_violation USING MESSAGE = 'it breaks a CHECK there';"
        "\n            END IF;"
        for check in each.checks
    )
    arguments = ", ".join([*keys, f"coalesce({value}, {each.fill})"])
    return f"""
    IF {changed(watched)} THEN
        BEGIN{checks}
            PERFORM {ident(JOB, f"put_back_{name}")}({arguments});
        EXCEPTION WHEN OTHERS THEN
            PERFORM bluegreen_job.lose({lost});
        END;
    END IF;"""


def found_in_derived(table: Table, derived: Iterable[Derived]) -> str:
    """In the old table's own trigger: a row that is born after its derived row finds it there."""
    body = ""
    for made in derived:
        if made.source != table.final:
            continue
        keys = " AND ".join(
            f"d.{ident(theirs)} = new.{ident(column.final)}"
            for theirs, column in zip(made.key, table.key_columns, strict=True)
        )
        for each in made.put_back:
            reads = [(name, f"d.{ident(name)}") for name in each.reads]
            row = ", ".join(f"{text} AS {ident(name)}" for name, text in reads)
            value = (
                f"(SELECT ({each.expression})::{each.type} FROM (SELECT {row or 'true'}"
                f" FROM {made.final.sql} AS d WHERE {keys}) AS {ident(made.final.name)})"
            )
            body += (
                "\n    IF tg_op = 'INSERT' THEN"
                f"\n        new.{ident(each.landing)} := coalesce({value}, {each.fill});"
                "\n    END IF;"
            )
    return body
