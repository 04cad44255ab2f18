"""The triggers of a derived table: it follows the table it was made of, and gives back to it.

follow    on the replicated table, ENABLE REPLICA, names in state sync: fills the derived row
give back on the derived table, ordinary, names in state final: keeps the old table's own column,
          through a function that fires none of the user's triggers and needs a superuser for that
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.identifiers import ident, literal
from shared.domain.objects import FORWARD_TRIGGER, JOB, OWNER_ROLE, REVERSE_TRIGGER
from shared.mapping.chain_model import Value
from shared.mapping.derived_model import Derived, PutBack
from shared.mapping.derived_truncate import create_truncate_trigger, trigger_name
from shared.mapping.expressions import changed, differs, forced, one_row
from shared.mapping.model import Mapping, Table
from shared.mapping.name_states import NameState

GIVING_BACK = "bluegreen.giving_back"
"""Session setting: `on` while a derived row gives back, so that the row there fills nothing."""


def create_derived_triggers(mapping: Mapping, state: NameState) -> list[str]:
    statements: list[str] = []
    for number, made in enumerate(mapping.derived):
        table = source_of(mapping, made)
        follow = f"{FORWARD_TRIGGER}_{number}"
        relation = table.name(state).sql
        statements += [
            _function(f"follow_{number}", _follow(table, made), made.settings),
            _trigger(follow, "AFTER INSERT OR UPDATE OR DELETE", relation, "ROW",
                     f"follow_{number}"),
            f"ALTER TABLE {relation} ENABLE REPLICA TRIGGER {ident(follow)}",
            _function(f"empty_{number}", _empty(made), {}),
            _trigger(f"{follow}_empty", "AFTER TRUNCATE", relation, "STATEMENT",
                     f"empty_{number}"),
            f"ALTER TABLE {relation} ENABLE REPLICA TRIGGER {ident(f'{follow}_empty')}",
        ]  # fmt: skip
        if made.put_back:
            statements += _give_back(table, made, number, state)
    return statements


def drop_derived_triggers(mapping: Mapping, state: NameState) -> list[str]:
    found = []
    for number, made in enumerate(mapping.derived):
        relation = source_of(mapping, made).name(state).sql
        found += [
            f"DROP TRIGGER IF EXISTS {ident(f'{FORWARD_TRIGGER}_{number}{what}')} ON {relation}"
            for what in ("", "_empty")
        ]
        if made.put_back:
            found += [
                f"DROP TRIGGER IF EXISTS {trigger} ON {made.name(state).sql}"
                for trigger in (ident(f"{REVERSE_TRIGGER}_{number}"), trigger_name(number))
            ]
    return found


def source_of(mapping: Mapping, made: Derived) -> Table:
    return next(table for table in mapping.tables if table.final == made.source)


def expected_row(made: Derived, table: Table, row: str, state: NameState) -> tuple[str, str]:
    """FROM item that gives the derived row's source, and the condition (`true` where none)."""

    def place(value: Value) -> str:
        assert value.column is not None, "a copy reads columns"
        text = f"{row}.{ident(table.column(value.column).name(state))}"
        return f"{text}::{value.cast}" if value.cast else text

    reads = [(read.name, place(read.value)) for read in made.reads]
    return one_row(made.alias, reads), made.condition or "true"


def _follow(table: Table, made: Derived) -> str:
    derived = made.sync.sql
    keys = [ident(column.sync) for column in table.key_columns]
    theirs = [ident(name) for name in made.key]
    source, condition = expected_row(made, table, "new", "sync")
    columns = ", ".join(ident(each.column) for each in made.filled)
    values = ", ".join(f"({each.expression})::{each.type}" for each in made.filled)
    set_others = ", ".join(
        f"{ident(each.column)} = excluded.{ident(each.column)}"
        for each in made.filled
        if each.column not in made.key
    )
    conflict = f"UPDATE SET {set_others}" if set_others else "NOTHING"
    inputs = [
        ident(table.column(read.value.column).sync)
        for read in made.reads
        if read.value.column is not None
    ]
    moved = differs([f"new.{key}" for key in keys], [f"old.{key}" for key in keys])
    return f"""
    IF coalesce(current_setting({literal(GIVING_BACK)}, true), '') = 'on' THEN
        RETURN NULL;
    END IF;
    IF tg_op = 'DELETE' THEN
        DELETE FROM {derived} AS d WHERE {_matches(theirs, keys, "old")};
        RETURN NULL;
    END IF;
    IF tg_op = 'UPDATE' THEN
        IF {moved} THEN
            DELETE FROM {derived} AS d WHERE {_matches(theirs, keys, "old")};
        END IF;
    END IF;
    IF {changed(dict.fromkeys([*keys, *inputs]))} OR {forced()} THEN
        DELETE FROM {derived} AS d WHERE {_matches(theirs, keys, "new")}
            AND NOT EXISTS (SELECT FROM {source} WHERE {condition});
        INSERT INTO {derived} ({columns}) SELECT {values} FROM {source} WHERE {condition}
            ON CONFLICT ({", ".join(theirs)}) DO {conflict};
    END IF;
    RETURN NULL;
"""


def _matches(theirs: list[str], keys: list[str], row: str) -> str:
    return " AND ".join(f"d.{mine} = {row}.{key}" for mine, key in zip(theirs, keys, strict=True))


def _empty(made: Derived) -> str:
    return f"\n    DELETE FROM {made.sync.sql};\n    RETURN NULL;\n"


def _give_back(table: Table, made: Derived, number: int, state: NameState) -> list[str]:
    statements = []
    for i, each in enumerate(made.put_back):
        function = ident(JOB, f"put_back_{number}_{i}")
        statements.append(_setter(table, each, f"{number}_{i}"))
        statements.append(f"ALTER FUNCTION {function} OWNER TO {ident(OWNER_ROLE)}")
    return [
        *statements,
        _function(f"give_back_{number}", _given(table, made, number), made.settings),
        _trigger(f"{REVERSE_TRIGGER}_{number}", "AFTER INSERT OR UPDATE OR DELETE",
                 made.name(state).sql, "ROW", f"give_back_{number}"),
        *create_truncate_trigger(table, made, number, state, GIVING_BACK),
    ]  # fmt: skip


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
    UPDATE {table.final.sql} AS t SET {landing} = value
    WHERE {where} AND {differs([f"t.{landing}"], ["value"])};
END"""
    return (
        f"CREATE OR REPLACE FUNCTION {ident(JOB, f'put_back_{name}')}({parameters}) RETURNS void"
        " LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
        f" SET session_replication_role = replica SET {GIVING_BACK} = 'on' AS {literal(body)}"
    )


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
    return f"""
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
"""


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


def _function(name: str, body: str, settings: dict[str, str]) -> str:
    fixed = {"search_path": "pg_catalog, pg_temp", **settings}
    pinned = " ".join(f"SET {key} = {value}" for key, value in fixed.items())
    text = f"#variable_conflict use_column\nBEGIN{body}END"
    return (
        f"CREATE OR REPLACE FUNCTION {ident(JOB, name)}() RETURNS trigger LANGUAGE plpgsql"
        f" {pinned} AS {literal(text)}"
    )


def _trigger(name: str, when: str, relation: str, each: str, function: str) -> str:
    return (
        f"CREATE OR REPLACE TRIGGER {ident(name)} {when} ON {relation}"
        f" FOR EACH {each} EXECUTE FUNCTION {ident(JOB, function)}()"
    )
