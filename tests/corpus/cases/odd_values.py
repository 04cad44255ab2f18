"""Values that are rarely thought of, in columns and in keys; settings that say what a value means."""

from __future__ import annotations

from tests.corpus.case import Case
from tests.corpus.retyped import TO, retyped

EVERY_KIND = """CREATE TYPE hours AS RANGE (subtype = time, multirange_type_name = more_hours);
CREATE TABLE t (id int PRIMARY KEY, name text, a int4multirange, b hours, c more_hours, d "char",
e name, f oid, g tsvector, h bit varying, i interval, j money, k timetz, l inet, m cidr, n pg_lsn,
o jsonb, p float8, q float4, r text, s date, t timestamp, u timestamptz, v numeric, w macaddr8,
x point, y jsonpath, z tsquery);"""
ONE_ROW = r"""INSERT INTO t VALUES (@n, 'x', '{[1,3),[5,7)}', '[10:00,11:00)',
'{[10:00,11:00),[12:00,13:00)}', 'ä', 'a name', 4000000000, 'a:1A b', '10101',
'1 mon 30 days -00:00:01', -1234.56, '10:00:00.123456+05:30', '::1/64', '10.0.0.0/8', 'FFFFFFFF/0',
'{"a": 1234567890123456789012345678901234567890.10, "b": "\u00e9"}', 'NaN', '-0',
E'\x01\u00a0\U0001F600\uFFFD\u200B\u202E\t\r\n\\', '0044-03-15 BC', 'infinity', '-infinity', 'NaN',
'08:00:2b:01:02:03:04:05', '(1e300,-0)', '$.a[*] ? (@ > 1)', 'a & !b')"""
KEY_OF_MANY = """CREATE TABLE t (a "char", b name, c interval, d numeric, e bit varying, f date, g inet,
h int4range, v int, PRIMARY KEY (a, b, c, d, e, f, g, h));"""

CASES = (
    Case("values_of_every_kind", EVERY_KIND, "ALTER TABLE t ALTER name TYPE varchar(99)",
         (ONE_ROW,
          "UPDATE t SET p = '-0', q = 'infinity', v = '-infinity', s = '-infinity',"
          " u = '0001-01-01 BC', i = '-178000000 years' WHERE id = @n - 1",
          "UPDATE t SET v = 1.000, p = 1e-308, q = 1e-40 WHERE id = @n - 2",
          "UPDATE t SET v = 1.00, i = '720:00:00' WHERE id = @n - 3"), (), ""),
    Case("keys_of_many_kinds", KEY_OF_MANY,
         "-- bluegreen: down t.v = v::int\nALTER TABLE t ALTER v TYPE text USING v::text",
         ("INSERT INTO t VALUES"
          " ('c', 'n', '1 mon', @n, '101', '0044-03-15 BC', '10.0.0.1', '[1,5)', 1)",
          "UPDATE t SET c = '30 days', v = 9 WHERE d = @n - 1",
          "UPDATE t SET d = d + 0.00 WHERE d = @n - 2", "DELETE FROM t WHERE d = @n - 15"),
         (("INSERT INTO t VALUES"
           " ('d', 'n', '1 mon', @n, '101', 'infinity', '10.0.0.1', '(,5)', '1')",
           "INSERT INTO t VALUES"
           " ('d', 'n', '1 mon', @n, '101', 'infinity', '10.0.0.1', '(,5)', 1)"),), ""),
    Case("required_times_dropped",
         "CREATE TABLE t (id int PRIMARY KEY, n int, at time(0) NOT NULL, too timetz(3) NOT NULL);",
         "ALTER TABLE t DROP COLUMN at, DROP COLUMN too",
         ("INSERT INTO t VALUES (@n, 1, '10:00', '10:00+02')",),
         (("INSERT INTO t VALUES (@n, 2)",
           "INSERT INTO t VALUES (@n, 2, '00:00', '00:00+00')"),), ""),
    retyped("bytes_as_the_file_shows_them", "bytea",
            f"SET bytea_output = 'escape'; {TO}text USING v::text; RESET bytea_output",
            (r"'\xdeadbeef'", "'plain @n'"), (("'x'", "'x'"),), r"'\x0102'", lossy=True),
    Case("words_in_the_language_of_the_file", "CREATE TABLE t (id int PRIMARY KEY, name text);",
         """SET default_text_search_config = 'pg_catalog.german'; ALTER TABLE t ADD COLUMN w tsvector;
         UPDATE t SET w = to_tsvector(name); RESET default_text_search_config""",
         ("INSERT INTO t VALUES (@n, 'die Haeuser the houses @n')",
          "UPDATE t SET name = 'der Lauf the running @n' WHERE id = @n % 40 + 1"),
         (("INSERT INTO t VALUES (@n, 'x', 'a')", "INSERT INTO t VALUES (@n, 'x')"),),
         "INSERT INTO t SELECT n, 'laufend gelaufen the days' FROM generate_series(1, 40) n"),
)  # fmt: skip
