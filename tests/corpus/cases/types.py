"""Columns of another type: with and without USING, with values that the rows hold in TOAST."""

from __future__ import annotations

from tests.corpus.case import Case


def case(
    name: str,
    old_type: str,
    file: str,
    old: tuple[str, ...],
    new: tuple[tuple[str, str], ...],
    row: str,
    *,
    before: str = "",
    **more: object,
) -> Case:
    """A table `t` with one column `v` of that type. `old`: SQL values that v is given; `new`: what
    it is given in the new shape, and the same in the old one; `row`: v of row n at first."""
    schema = f"{before} CREATE TABLE t (id int PRIMARY KEY, v {old_type}, other int DEFAULT 0);"
    writes = (
        *(f"INSERT INTO t (id, v) VALUES (@n, {value})" for value in old),
        *(f"UPDATE t SET v = {value} WHERE id = @n % 40 + 1" for value in old),
        "UPDATE t SET other = other + 1 WHERE id = @n % 40 + 1",
        "DELETE FROM t WHERE id = @n - 20",
    )
    used = [
        pair
        for there, here in new
        for pair in (
            (f"INSERT INTO t (id, v) VALUES (@n, {there})",
             f"INSERT INTO t (id, v) VALUES (@n, {here})"),
            (f"UPDATE t SET v = {there} WHERE id = @n % 40 + 1",
             f"UPDATE t SET v = {here} WHERE id = @n % 40 + 1"),
        )
    ]  # fmt: skip
    used += [(write, write) for write in writes[-2:]]
    rows = f"INSERT INTO t SELECT n, {row}, n FROM generate_series(1, 40) n"
    return Case(name, schema, file, writes, tuple(used), rows, **more)  # type: ignore[arg-type]


TO = "ALTER TABLE t ALTER COLUMN v TYPE "
DOWN = "-- bluegreen: down t.v = "
BIG = "repeat('16 kB @n ', 2000)"

CASES = (
    case(
        "cents_to_euros",
        "int NOT NULL",
        f"{DOWN}round(v * 100)\n{TO}numeric(12,2) USING v / 100.0",
        ("@n", "@n % 7"),
        (("12.34", "1234"), ("@n / 100.0", "@n")),
        "n * 10",
    ),
    case("integer_to_bigint", "int", f"{TO}bigint", ("@n", "NULL"), (("@n + 1", "@n + 1"),), "n"),
    case("smallint_to_integer", "smallint", f"{TO}int", ("@n % 99",), (("12", "12"),), "n"),
    case("bigint_to_integer", "bigint", f"{TO}int", ("@n",), (("@n + 1", "@n + 1"),), "n"),
    case("integer_to_text", "int", f"{TO}text", ("@n", "NULL"), (("'@n'", "@n"),), "n"),
    case("integer_to_numeric", "int", f"{TO}numeric", ("@n",), (("@n", "@n"),), "n"),
    case(
        "numeric_rounded",
        "numeric(12,4)",
        f"{DOWN}v\n{TO}numeric(12,2)",
        ("@n + 0.25",),
        (("@n + 0.5", "@n + 0.5"),),
        "n + 0.5",
    ),
    case(
        "varchar_to_text", "varchar(40)", f"{TO}text", ("'v@n'",), (("'w@n'", "'w@n'"),), "'v' || n"
    ),
    case(
        "varchar_widened",
        "varchar(20)",
        f"{TO}varchar(50)",
        ("'v@n'",),
        (("'w@n'", "'w@n'"),),
        "'v' || n",
    ),
    case(
        "varchar_narrowed",
        "varchar(40)",
        f"{TO}varchar(6) USING left(v, 6)",
        ("'v@n'", "'a long value of @n'"),
        (("'w@n'", "'w@n'"),),
        "'v' || n",
        lossy=True,
    ),
    case(
        "text_to_integer",
        "text NOT NULL",
        f"{DOWN}coalesce(v::text, '')\nALTER TABLE t ALTER v DROP NOT NULL;"
        f"{TO}int USING nullif(v, '')::int",
        ("'@n'", "''"),
        (("@n", "'@n'"), ("NULL", "''")),
        "CASE n % 3 WHEN 0 THEN '' ELSE n::text END",
    ),
    case(
        "text_to_jsonb",
        "text",
        f"{DOWN}v #>> '{{}}'\n{TO}jsonb USING to_jsonb(v)",
        ("'v@n'", BIG, "NULL"),
        (("to_jsonb('w@n'::text)", "'w@n'"), (f"to_jsonb({BIG})", BIG)),
        "repeat('sixteen kB', 1600) || n",
        before="",
    ),
    case(
        "json_to_jsonb",
        "json",
        f"{TO}jsonb",
        ("""'{"a": @n}'""",),
        (("""'{"b": @n}'""", """'{"b": @n}'"""),),
        """'{"a": 1}'::json""",
    ),
    case(
        "jsonb_to_text",
        "jsonb",
        f"{DOWN}v::jsonb\n{TO}text USING v::text",
        ("""'{"a": @n}'""",),
        (("""'{"b": @n}'""", """'{"b": @n}'"""),),
        "to_jsonb(n)",
    ),
    case(
        "json_field_to_column",
        "jsonb",
        f"{DOWN}jsonb_build_object('n', v)\n{TO}int USING (v ->> 'n')::int",
        ("""'{"n": @n}'""",),
        (("@n", """'{"n": @n}'"""),),
        "jsonb_build_object('n', n)",
    ),
    case(
        "timestamp_to_timestamptz",
        "timestamp",
        f"{DOWN}v AT TIME ZONE 'Asia/Tokyo'\n{TO}timestamptz USING v AT TIME ZONE 'Asia/Tokyo'",
        ("timestamp '2026-01-01' + @n * interval '1 min'",),
        (
            (
                "timestamptz '2026-05-05 05:00+09' + @n * interval '1 min'",
                "timestamp '2026-05-05 05:00' + @n * interval '1 min'",
            ),
        ),
        "timestamp '2026-01-01' + n * interval '1 h'",
    ),
    case(
        "text_to_date",
        "text",
        f"{DOWN}to_char(v, 'DD.MM.YYYY')\n{TO}date USING to_date(v, 'DD.MM.YYYY')",
        ("'01.02.2026'", "'03.04.2025'"),
        (("date '2026-12-24'", "'24.12.2026'"),),
        "to_char(date '2026-01-01' + n, 'DD.MM.YYYY')",
    ),
    case(
        "epoch_to_timestamptz",
        "bigint",
        f"{DOWN}extract(epoch FROM v)::bigint\n{TO}timestamptz USING to_timestamp(v)",
        ("1760000000 + @n",),
        (("to_timestamp(1770000000 + @n)", "1770000000 + @n"),),
        "1750000000 + n",
    ),
    case(
        "integer_to_boolean",
        "int",
        f"{DOWN}CASE WHEN v THEN 1 WHEN NOT v THEN 0 END\n{TO}boolean USING v <> 0",
        ("1", "0", "NULL"),
        (("true", "1"), ("NULL", "NULL")),
        "n % 2",
    ),
    case(
        "boolean_to_text",
        "boolean",
        f"{DOWN}v = 'yes'\n{TO}text USING CASE WHEN v THEN 'yes' WHEN NOT v THEN 'no' END",
        ("true", "false", "NULL"),
        (("'yes'", "true"), ("'no'", "false")),
        "n % 2 = 0",
    ),
    case(
        "text_to_uuid",
        "text",
        f"{DOWN}v::text\n{TO}uuid USING v::uuid",
        ("md5('@n')::uuid::text",),
        (("md5('x@n')::uuid", "md5('x@n')::uuid::text"),),
        "md5(n::text)::uuid::text",
    ),
    case(
        "list_to_array",
        "text",
        f"{DOWN}array_to_string(v, ',')\n{TO}text[] USING string_to_array(v, ',')",
        ("'a,b,@n'", "'@n'"),
        (("ARRAY['x', '@n']", "'x,@n'"),),
        "'a,' || n",
    ),
    case(
        "array_of_integers_to_bigints",
        "int[]",
        f"{TO}bigint[]",
        ("ARRAY[@n, NULL, 3]", "'{}'"),
        (("ARRAY[@n]", "ARRAY[@n]"),),
        "ARRAY[n, n + 1]",
    ),
    case(
        "bytea_to_text",
        "bytea",
        f"{DOWN}decode(v, 'hex')\n{TO}text USING encode(v, 'hex')",
        ("decode(md5('@n'), 'hex')",),
        (("md5('y@n')", "decode(md5('y@n'), 'hex')"),),
        "decode(md5(n::text), 'hex')",
    ),
    case(
        "char_to_text",
        "char(8)",
        f"{DOWN}v\n{TO}text",
        ("'c@n'",),
        (("'d@n'", "'d@n'"),),
        "'c' || n",
    ),
    case(
        "real_to_double",
        "real",
        f"{TO}double precision",
        ("@n + 0.5", "0.1"),
        (("@n + 0.25", "@n + 0.25"),),
        "n + 0.5",
        lossy=True,
    ),
    case(
        "text_to_inet",
        "text",
        f"{DOWN}host(v)\n{TO}inet USING v::inet",
        ("'10.0.0.1'",),
        (("'10.0.0.2'", "'10.0.0.2'"),),
        "'10.1.1.' || n",
    ),
    case(
        "seconds_to_interval",
        "int",
        f"{DOWN}extract(epoch FROM v)::int\n{TO}interval USING make_interval(secs => v)",
        ("@n",),
        (("interval '90 s'", "90"),),
        "n",
    ),
    case(
        "collation_changed",
        "text",
        f'{TO}text COLLATE "POSIX"',
        ("'v@n'",),
        (("'w@n'", "'w@n'"),),
        "'v' || n",
    ),
    case(
        "values_changed_in_place",
        "text",
        f"{DOWN}substr(v, 3)\n{TO}text USING 'p:' || v",
        ("'v@n'",),
        (("'p:w@n'", "'w@n'"),),
        "'v' || n",
    ),
    case(
        "retyped_twice",
        "text",
        f"{DOWN}(v * 2)::int::text\n{TO}int USING v::int; {TO}numeric(9,1) USING v / 2.0",
        ("'@n'",),
        (("2.5", "'5'"),),
        "n::text",
    ),
    case(
        "retyped_then_updated",
        "int",
        f"{DOWN}(v - 1) * 100\n{TO}numeric(12,2) USING v / 100.0; UPDATE t SET v = v + 1",
        ("@n",),
        (("3.5", "250"),),
        "n",
    ),
    case(
        "enum_value_added",
        "mood",
        "ALTER TYPE mood ADD VALUE 'great'",
        ("'sad'", "'ok'"),
        (("'ok'", "'ok'"),),
        "'ok'::mood",
        before="CREATE TYPE mood AS ENUM ('sad', 'ok');",
    ),
    case(
        "enum_value_renamed",
        "mood",
        "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'",
        ("'sad'", "'ok'"),
        (("'fine'", "'ok'"),),
        "'ok'::mood",
        before="CREATE TYPE mood AS ENUM ('sad', 'ok');",
    ),
    case(
        "enum_made_anew",
        "mood",
        f"{DOWN}CASE v::text WHEN 'fine' THEN 'ok' ELSE v::text END\n"
        "ALTER TYPE mood RENAME TO mood_old; CREATE TYPE mood AS ENUM ('sad', 'fine');"
        f"{TO}mood USING (CASE v::text WHEN 'ok' THEN 'fine' ELSE v::text END)::mood;"
        "DROP TYPE mood_old",
        ("'sad'", "'ok'"),
        (("'fine'", "'ok'"), ("'sad'", "'sad'")),
        "'ok'::mood",
        before="CREATE TYPE mood AS ENUM ('sad', 'ok');",
    ),
    case(
        "enum_to_text",
        "mood",
        f"{TO}text USING v::text; DROP TYPE mood",
        ("'sad'", "'ok'"),
        (("'ok'", "'ok'"),),
        "'ok'::mood",
        before="CREATE TYPE mood AS ENUM ('sad', 'ok');",
    ),
    case(
        "text_to_enum",
        "text",
        f"{DOWN}v::text\nCREATE TYPE mood AS ENUM ('sad', 'ok'); {TO}mood USING v::mood",
        ("'sad'", "'ok'"),
        (("'ok'", "'ok'"),),
        "'ok'",
    ),
    case(
        "text_to_domain",
        "text",
        f"{DOWN}v\nCREATE DOMAIN short AS text CHECK (length(VALUE) < 30); {TO}short",
        ("'v@n'",),
        (("'w@n'", "'w@n'"),),
        "'v' || n",
    ),
    case(
        "domain_constraint_added",
        "short",
        "ALTER DOMAIN short ADD CONSTRAINT filled CHECK (VALUE <> '')",
        ("'v@n'",),
        (("'w@n'", "'w@n'"),),
        "'v' || n",
        before="CREATE DOMAIN short AS text;",
    ),
    Case(
        "enum_value_used",
        "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE t (id int PRIMARY KEY, v mood, n int);",
        "ALTER TYPE mood ADD VALUE 'great'",
        ("INSERT INTO t VALUES (@n, 'ok', 1)", "UPDATE t SET v = 'sad' WHERE id = @n % 40 + 1"),
        (
            ("INSERT INTO t VALUES (@n, 'great', 1)", "INSERT INTO t VALUES (@n, NULL, 1)"),
            ("UPDATE t SET v = 'great' WHERE id = @n % 40 + 1", "SELECT 'what it was'"),
            (
                "UPDATE t SET v = 'ok' WHERE id = @n % 40 + 1",
                "UPDATE t SET v = 'ok' WHERE id = @n % 40 + 1",
            ),
        ),
        "INSERT INTO t SELECT n, 'ok', n FROM generate_series(1, 40) n",
    ),
)
