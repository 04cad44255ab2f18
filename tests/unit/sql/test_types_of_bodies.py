"""A body may name any type: PL/pgSQL's parser knows none of the user's."""

from __future__ import annotations

import pytest

from shared.sql.validate import validate


@pytest.mark.parametrize(
    "body",
    [
        "DECLARE x app.state; BEGIN {} END",
        "DECLARE x CONSTANT app.state[] := NULL; y int := app.f(); BEGIN {} END",
        "DECLARE -- a comment; with a mark\n x app.users.name%TYPE; BEGIN {} END",
        'DECLARE "My x" "App" . "A state"; r app.users%ROWTYPE; BEGIN {} END',
        "DECLARE x state[]; y state ARRAY; BEGIN {} END",
        "BEGIN DECLARE x app.state; BEGIN {} END; END",
        "DECLARE c CURSOR FOR SELECT * FROM app.users; BEGIN {} END",
    ],
)
def test_variables(body):
    found = validate(f"DO $$ {body.format('TRUNCATE app.users;')} $$;", file="m.sql")
    assert not found.errors
    assert found.locks == {"app.users": "AccessExclusiveLock"}


@pytest.mark.parametrize(
    "signature",
    [
        "(x app.state) RETURNS app.state",
        "(app.state, y int[], z numeric(3)) RETURNS SETOF app.users",
        "(x app.state[], OUT y app.state[]) RETURNS app.state[]",
        "(x state[]) RETURNS state[]",
        "(x app.users.name%TYPE) RETURNS users.name%TYPE",
        "() RETURNS TABLE (a app.state, b int)",
        "(anyelement) RETURNS anyarray",
        '(x timestamp with time zone, y app . "A state" DEFAULT \'a\'::app."A state") RETURNS text',
    ],
)
def test_parameters_and_results(signature):
    made = f"CREATE FUNCTION é.f{signature} LANGUAGE plpgsql AS $$ BEGIN\n TRUNCATE b.c;\n END $$;"
    found = validate(f"{made} DO $x$ BEGIN PERFORM é.f(); END $x$;", file="m.sql")
    assert not found.errors
    assert found.locks == {"b.c": "AccessExclusiveLock"}


def test_lines_stay_where_they_are():
    sql = "DO $$ DECLARE\n x app\n.state\n;\nBEGIN\n ALTER SYSTEM SET a = 1; END $$;"
    (error,) = validate(sql, file="m.sql").errors
    assert (error.kind, error.line) == ("forbidden", 6)


def test_what_is_wrong_is_still_told():
    found = validate("DO $$ DECLARE x app.state; BEGIN IF x THEN END $$;", file="m.sql")
    assert [each.kind for each in found.errors] == ["syntax"]
