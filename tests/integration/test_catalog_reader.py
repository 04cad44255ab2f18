"""A live catalog and one built from the schema's text say the same of the measured cases."""

from __future__ import annotations

import pytest

from shared.adapters.postgres import PsycopgSession
from shared.adapters.schema.catalog_reader import read_catalog
from shared.sql.analysis import build
from shared.sql.schema_objects import Publication, Published
from shared.sql.validate import validate
from tests.support.cluster import postgres
from tests.support.validator_agreement import FACTS, Score, compare
from tests.support.validator_cases import cases

ROLES = "CREATE ROLE app_rw; CREATE ROLE app_ro; CREATE ROLE reporting;"
NOT_HERE = {"ext-create-quoted", "index-trgm-with-ext", "drop-extension-cascade"}
"""Cases whose extension this server may lack."""


@pytest.fixture(scope="module", params=(15, 16, 18))
def server(request):
    with postgres(request.param, timezone="UTC") as server:
        with server.connect() as connection:
            connection.execute(ROLES)
        yield server


@pytest.fixture(scope="module")
def scored(server):
    """Each schema in a database of its own, read once, asked for all of its cases."""
    score = Score()
    catalogs = {}
    for case in cases():
        if case.version != server.version or case.id.startswith("ext-") or case.id in NOT_HERE:
            continue
        if case.setup not in catalogs:
            catalogs[case.setup] = _read(server, case.setup, f"d{len(catalogs)}")
        found = validate(
            case.sql,
            file=f"{case.id}.sql",
            server_version=server.version,
            catalog=catalogs[case.setup],
        )
        for fact, expected, seen in compare(case, found):
            score.graded[fact] += 1
            score.agreed[fact] += expected == seen
            if expected != seen:
                score.disagreements.append((case.id, fact, expected, seen, found.errors))
    return score


def _read(server, setup, name):
    with server.connect() as connection:
        connection.execute(f"CREATE DATABASE {name}")
    with server.connect(name) as connection:
        connection.execute(setup)
        catalog, version = read_catalog(PsycopgSession(connection))
    assert version == server.version
    return catalog


@pytest.mark.parametrize("fact", [fact for fact in FACTS if fact != "requires_extensions"])
def test_the_live_catalog_answers_as_the_servers_did(scored, fact):
    wrong = [each for each in scored.disagreements if each[1] == fact]
    assert scored.agreed[fact] >= 0.99 * scored.graded[fact], wrong


def test_sizes_and_writes_are_read(server):
    with server.connect() as connection:
        connection.execute(
            "CREATE TABLE big (a int); INSERT INTO big SELECT generate_series(1, 9999)"
        )
        catalog, _ = read_catalog(PsycopgSession(connection))
        connection.execute("DROP TABLE big")
    assert catalog.relations["public", "big"].size_bytes > 300_000
    assert catalog.relations["public", "big"].writes_per_s >= 0


TOLD = """
CREATE TABLE t (id int PRIMARY KEY, a int, b int); CREATE TABLE u (id int); CREATE SCHEMA s;
CREATE STATISTICS s.dep ON a, b FROM t;
CREATE PUBLICATION p FOR TABLE t (id, a) WHERE (id > 3), u WITH (publish = 'insert, delete');
CREATE PUBLICATION q FOR TABLES IN SCHEMA s; CREATE PUBLICATION bluegreen_x FOR ALL TABLES;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER f AFTER UPDATE ON t REFERENCING OLD TABLE AS gone NEW TABLE AS came
  FOR EACH STATEMENT EXECUTE FUNCTION f();
CREATE PROCEDURE wipe() LANGUAGE sql BEGIN ATOMIC DELETE FROM t; END;
CREATE TABLE heir () INHERITS (u);
"""


def test_what_hangs_on_a_table_is_read(server):
    catalog = _read(server, TOLD, "told")
    built, _ = build(TOLD, version=server.version)
    assert catalog.publications.keys() == {"p", "q"}
    assert catalog.publications["p"] == built.publications["p"] == Publication("insert, delete")
    assert catalog.publications["q"].schemas == built.publications["q"].schemas == {"s"}
    read, expected = catalog.relations["public", "t"], built.relations["public", "t"]
    assert read.statistics == expected.statistics == {("s", "dep")}
    listed = Published(frozenset({"id"}), frozenset({"id", "a"}))
    assert read.published == expected.published == {"p": listed}
    assert catalog.relations["public", "u"].published == {"p": Published()}
    assert read.triggers["f"].transitions == expected.triggers["f"].transitions == {"gone", "came"}
    assert catalog.relations["public", "u"].children == [("public", "heir")]
    report = validate("ALTER TABLE u ALTER id TYPE int8", file="m.sql", catalog=catalog)
    assert report.rewrites_tables == ("heir", "u")
    assert not validate("ALTER TABLE heir NO INHERIT u", file="m.sql", catalog=catalog).errors
    assert validate("CALL wipe()", file="m.sql", catalog=catalog).destructive


IMPLIED = """
CREATE TABLE log (id int);
CREATE TYPE weight AS (grams int, on_day date); CREATE TYPE tag AS (word text);
CREATE FUNCTION wipe() RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM log; RETURN 1; END';
CREATE FUNCTION odd(int) RETURNS boolean LANGUAGE sql AS 'SELECT wipe() = $1';
CREATE FUNCTION plus(int, int) RETURNS int LANGUAGE sql AS 'SELECT $1 + $2 + wipe()';
CREATE FUNCTION to_tag(weight) RETURNS tag LANGUAGE sql AS 'SELECT row(wipe()::text)::tag';
CREATE FUNCTION gentle(n int DEFAULT wipe()) RETURNS int LANGUAGE sql AS 'SELECT n';
CREATE OPERATOR ### (LEFTARG = int, RIGHTARG = int, FUNCTION = plus);
CREATE CAST (weight AS tag) WITH FUNCTION to_tag (weight);
CREATE AGGREGATE total (int) (SFUNC = plus, STYPE = int, INITCOND = '0');
CREATE DOMAIN few AS int CHECK (odd(VALUE)); CREATE DOMAIN fewer AS few;
CREATE TABLE checked (id int CHECK (odd(id)));
CREATE FUNCTION told() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM wipe(); END';
CREATE EVENT TRIGGER told ON sql_drop EXECUTE FUNCTION told();
ALTER EVENT TRIGGER told DISABLE;
"""


def test_what_runs_functions_without_calling_them_is_read(server):
    catalog = _read(server, IMPLIED, "implied")
    built, _ = build(IMPLIED, version=server.version)
    assert catalog.implied == built.implied
    assert catalog.event_triggers == built.event_triggers
    assert (
        catalog.types["public", "weight"].attributes == built.types["public", "weight"].attributes
    )
    for sql in ("SELECT 1::fewer", "SELECT total(1)", "INSERT INTO checked VALUES (1)"):
        assert validate(sql, file="m.sql", catalog=catalog).destructive
