"""A second schema and file: what the first does not have, each on a table of its own."""

from __future__ import annotations

SCHEMA = """
CREATE SCHEMA shop;
CREATE TYPE colour AS ENUM ('red', 'blue');
CREATE TYPE size AS ENUM ('s', 'l');
CREATE TABLE people (
    id uuid PRIMARY KEY, mail text NOT NULL, age int, plan text NOT NULL, first text, last text
);
CREATE TABLE swapped (id int PRIMARY KEY, a text, b text);
CREATE TABLE "Odd Names" ("the key" text PRIMARY KEY, "100 %" int, "select" text);
CREATE TABLE shirts (id int PRIMARY KEY, colour colour NOT NULL, sizes size[]);
CREATE TABLE moving (id serial PRIMARY KEY, v text);
CREATE TABLE tickets (code varchar(8), year int, n smallint, PRIMARY KEY (code, year));
CREATE TABLE numbered (id int PRIMARY KEY, serial_no text NOT NULL UNIQUE, kind text NOT NULL,
    CONSTRAINT kind_known CHECK (kind IN ('a', 'b')), note text NOT NULL);
CREATE TABLE measured (
    id bigint GENERATED ALWAYS AS IDENTITY, day date NOT NULL, cents int NOT NULL, twice int
    GENERATED ALWAYS AS (cents * 2) STORED, PRIMARY KEY (id, day)
) PARTITION BY RANGE (day);
CREATE TABLE measured_all PARTITION OF measured FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
CREATE TABLE stamped (id int PRIMARY KEY, state text, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE stamps (id bigserial PRIMARY KEY, of int);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stamps (of) VALUES (new.id);
    new.at := clock_timestamp();
    RETURN new;
END $$;
CREATE TRIGGER stamped BEFORE UPDATE ON stamped FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TABLE old_name (id int PRIMARY KEY, v int);
CREATE TABLE bits (id int PRIMARY KEY, yes int, at timestamp, body text);
"""

ROWS = """
INSERT INTO people SELECT gen, 'Mail' || n || '@X', n % 80, CASE WHEN n % 5 = 0 THEN 'senior'
    ELSE 'junior' END, 'First' || n, 'Last' || n
FROM (SELECT n, md5(n::text)::uuid AS gen FROM generate_series(1, 200) n) s;
INSERT INTO swapped SELECT n, 'a' || n, 'b' || n FROM generate_series(1, 20) n;
INSERT INTO "Odd Names" SELECT 'k %' || n, n, 's' FROM generate_series(1, 20) n;
INSERT INTO shirts SELECT n, 'red', ARRAY['s', 'l']::size[] FROM generate_series(1, 20) n;
INSERT INTO moving (v) SELECT 'v' || n FROM generate_series(1, 20) n;
INSERT INTO tickets SELECT 'c' || n, 2020 + n % 5, n FROM generate_series(1, 20) n;
INSERT INTO numbered SELECT n, 'no ' || n, 'a', 'note' FROM generate_series(1, 20) n;
INSERT INTO measured (day, cents)
SELECT date '2026-01-01' + n, n * 10 FROM generate_series(1, 20) n;
INSERT INTO stamped SELECT n, 'new', '2026-01-01' FROM generate_series(1, 20) n;
INSERT INTO old_name SELECT n, n FROM generate_series(1, 20) n;
INSERT INTO bits SELECT n, n % 2, '2026-01-01 12:00', 'b' || n FROM generate_series(1, 20) n;
"""

FILE = """
-- bluegreen: down people.age = substr(age, 2)::int
-- bluegreen: down people.first = split_part(whole, ' ', 1)
-- bluegreen: down people.last = split_part(whole, ' ', 2)
-- bluegreen: down people.email = email
-- bluegreen: down shirts.paint = CASE paint WHEN 'crimson' THEN 'red' ELSE 'blue' END
-- bluegreen: down measured.euros = round(euros * 100)
-- bluegreen: down bits.yes = CASE WHEN yes THEN 1 ELSE 0 END
-- bluegreen: down bits.at = at AT TIME ZONE 'Asia/Tokyo'
-- bluegreen: down bits.body = substr(body, 3)
ALTER TABLE people RENAME COLUMN mail TO email;
UPDATE people AS p SET email = email || '' WHERE p.plan <> 'senior';
ALTER TABLE people ALTER COLUMN age TYPE text USING 'y' || age, ADD COLUMN active boolean
    NOT NULL DEFAULT true;
ALTER TABLE people ADD COLUMN whole text;
UPDATE people SET (whole, plan) = (first || ' ' || last, plan);
ALTER TABLE people DROP COLUMN first, DROP COLUMN last;
ALTER TABLE people ADD CONSTRAINT people_whole CHECK (whole LIKE '% %');

ALTER TABLE swapped RENAME COLUMN a TO c;
ALTER TABLE swapped RENAME COLUMN b TO a;
ALTER TABLE swapped RENAME COLUMN c TO b;

ALTER TABLE "Odd Names" ALTER COLUMN "100 %" TYPE bigint;
ALTER TABLE "Odd Names" RENAME COLUMN "select" TO "from %s";
ALTER TABLE "Odd Names" RENAME TO "Odder 'Names'";

CREATE TYPE paint AS ENUM ('crimson', 'navy');
ALTER TABLE shirts ALTER COLUMN colour TYPE paint
    USING (CASE colour::text WHEN 'red' THEN 'crimson' ELSE 'navy' END)::paint;
ALTER TABLE shirts RENAME COLUMN colour TO paint;
DROP TYPE colour;
ALTER TYPE size RENAME TO shirt_size;

ALTER TABLE moving RENAME TO moved;
ALTER TABLE moved SET SCHEMA shop;
ALTER SEQUENCE shop.moving_id_seq RENAME TO moved_id_seq;

ALTER TABLE tickets ALTER COLUMN code TYPE text;
ALTER TABLE tickets ALTER COLUMN n TYPE int;

ALTER TABLE numbered DROP COLUMN serial_no;
ALTER TABLE numbered DROP CONSTRAINT kind_known;
ALTER TABLE numbered ALTER COLUMN note DROP NOT NULL;

ALTER TABLE measured ALTER COLUMN cents TYPE int USING cents, DROP COLUMN twice;
ALTER TABLE measured RENAME COLUMN cents TO euros;
ALTER TABLE measured ALTER COLUMN euros TYPE numeric(10,2) USING euros / 100.0;

UPDATE stamped SET state = 'stamped ' || state WHERE id > 0;

ALTER TABLE old_name RENAME TO new_name;
CREATE VIEW old_name AS SELECT * FROM new_name;

ALTER TABLE bits ALTER COLUMN yes TYPE boolean USING yes <> 0,
    ALTER COLUMN at TYPE timestamptz USING at AT TIME ZONE 'Asia/Tokyo';
ALTER TABLE bits ADD COLUMN body2 text;
UPDATE bits SET body2 = '1 ' || body;
ALTER TABLE bits DROP COLUMN body;
ALTER TABLE bits RENAME COLUMN body2 TO body;
"""
