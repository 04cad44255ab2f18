"""The text that EXECUTE runs, where a query or a caller gives it."""

from __future__ import annotations

import pytest

from shared.sql.analysis import build
from shared.sql.validate import validate

SCHEMA = """
CREATE TABLE account (id bigint PRIMARY KEY, legacy int);
CREATE TABLE metric (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE metric_2026 PARTITION OF metric FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE PROCEDURE drop_part(p text) LANGUAGE plpgsql AS $$ BEGIN
  EXECUTE format('ALTER TABLE metric DETACH PARTITION %I', p);
  EXECUTE 'DROP TABLE ' || quote_ident(p); END $$;
"""


def report(body):
    sql = body if body.startswith("CALL") else f"DO $$ DECLARE r record; s text; {body} END $$"
    return validate(sql, file="m.sql", catalog=build(SCHEMA, version=18)[0])


def test_what_a_procedure_is_called_with_is_known_in_it():
    found = report("CALL drop_part('metric_2026')")
    assert not found.errors
    assert found.destructive
    assert found.locks == dict.fromkeys(("metric", "metric_2026"), "AccessExclusiveLock")


@pytest.mark.parametrize(
    "body",
    [
        "BEGIN EXECUTE (SELECT 'TRUNCATE account');",
        "BEGIN FOR r IN SELECT 'TRUNCATE account' AS q LOOP EXECUTE r.q; END LOOP;",
        "BEGIN FOR s IN SELECT 'TRUNCATE account' LOOP EXECUTE s; END LOOP;",
        "BEGIN SELECT 'TRUNCATE ' || 'account' INTO s; EXECUTE s;",
        "BEGIN SELECT 'TRUNCATE account' AS q INTO STRICT r; EXECUTE r.q;",
        "BEGIN s := ''; s := s || 'TRUNCATE '; s := s || 'account'; EXECUTE s;",
        "t regclass; BEGIN FOREACH t IN ARRAY ARRAY['account']::regclass[] "
        "LOOP EXECUTE format('TRUNCATE %s', t); END LOOP;",
    ],
)
def test_text_that_a_query_gives_is_read(body):
    found = report(body)
    assert found.locks == {"account": "AccessExclusiveLock"}
    assert found.destructive


@pytest.mark.parametrize(
    "body",
    [
        "BEGIN FOR r IN SELECT format('DROP TABLE %I', relname) AS q FROM pg_class "
        "LOOP EXECUTE r.q; END LOOP;",
        "BEGIN SELECT string_agg(format('DROP TABLE %I', relname), ';') INTO s FROM pg_class; "
        "EXECUTE s;",
        "BEGIN SELECT 'DROP TABLE ' || string_agg(relname, ', ') INTO s FROM pg_class; EXECUTE s;",
    ],
)
def test_of_text_with_unknown_names_the_kind_is_known(body):
    assert report(body).destructive


def test_a_record_and_a_variable_of_one_name_are_two():
    body = (
        "q text := 'TRUNCATE account'; BEGIN "
        "FOR r IN SELECT id AS q FROM account LOOP NULL; END LOOP; EXECUTE q;"
    )
    assert report(body).destructive


def test_an_operator_of_one_side_is_read_as_far_as_it_goes():
    assert report("BEGIN EXECUTE 'DROP TABLE ' || || 'account';").destructive
