-- One migration file per line, each over the same schema; nothing of it is kept.
ALTER TABLE app.users ADD COLUMN t app.plan_tier DEFAULT 'pro'
ALTER TABLE app.users ADD COLUMN t app.plan_tier[] DEFAULT '{}'
ALTER TABLE app.accounts ALTER tier TYPE text
ALTER TABLE app.accounts ALTER tier TYPE varchar(20) USING tier::text
ALTER TABLE app.accounts ALTER tier SET DEFAULT 'gold'
ALTER TABLE app.accounts ALTER account_id TYPE text
ALTER TABLE app.accounts ALTER signup_ip TYPE text
ALTER TABLE app.accounts ALTER signup_ip TYPE cidr
ALTER TABLE app.accounts ALTER seats TYPE int
ALTER TABLE app.users ALTER age TYPE bigint
ALTER TABLE app.users ALTER settings TYPE json
ALTER TABLE app.users ALTER settings TYPE text
ALTER TABLE app.users ALTER last_seen TYPE timestamp
ALTER TABLE app.users ALTER login TYPE varchar(128)
ALTER TABLE app.users ALTER login TYPE text
ALTER TABLE app.users ALTER email TYPE varchar
ALTER TABLE app.users ALTER id TYPE bigint
ALTER TABLE app.users ALTER id SET GENERATED ALWAYS
ALTER TABLE app.users ALTER id RESTART WITH 500
ALTER TABLE app.users ALTER id DROP IDENTITY
ALTER TABLE app.users ALTER id SET DEFAULT 5
ALTER TABLE app.accounts DROP COLUMN account_id
ALTER TABLE app.accounts DROP COLUMN account_id CASCADE
ALTER TABLE app.accounts DROP CONSTRAINT accounts_pkey
ALTER TABLE app.accounts DROP CONSTRAINT accounts_pkey CASCADE
ALTER TABLE app.users DROP CONSTRAINT users_account_id_fkey
ALTER TABLE app.users ALTER CONSTRAINT users_account_id_fkey DEFERRABLE
ALTER TABLE app.users ALTER account_id TYPE text
DROP SCHEMA app CASCADE
DROP TYPE app.plan_tier CASCADE
DROP TABLE app.accounts
DROP TABLE app.accounts CASCADE
DROP INDEX app.users_email_idx
DROP INDEX users_email_idx
SET search_path TO app; DROP INDEX users_email_idx; ALTER TABLE users ADD COLUMN x int
ALTER SCHEMA app RENAME TO app2
ALTER SCHEMA app RENAME TO app2; ALTER TABLE app2.users ADD COLUMN z int
ALTER TYPE app.plan_tier RENAME TO tier
ALTER TYPE app.plan_tier ADD VALUE 'pro'
ALTER TYPE app.plan_tier ADD VALUE IF NOT EXISTS 'pro'
ALTER TYPE app.plan_tier ADD VALUE 'x' AFTER 'nope'
ALTER TYPE app.plan_tier RENAME VALUE 'nope' TO 'x'
ALTER TYPE app.plan_tier SET SCHEMA public
ALTER TYPE app.plan_tier OWNER TO app_rw
ALTER TABLE app.users SET SCHEMA public
ALTER TABLE app.users RENAME TO people; ALTER INDEX app.users_login_uq RENAME TO people_login
ALTER TABLE app.users ADD CONSTRAINT u UNIQUE USING INDEX users_login_uq
ALTER TABLE app.users ADD CONSTRAINT u PRIMARY KEY USING INDEX users_login_uq
ALTER TABLE app."Team Members" ADD CONSTRAINT u PRIMARY KEY ("userId")
ALTER TABLE app."Team Members" ADD FOREIGN KEY ("userId") REFERENCES app.users
ALTER TABLE app."Team Members" ADD FOREIGN KEY ("userId") REFERENCES app.users NOT VALID
ALTER TABLE app."Team Members" ALTER "joinedAt" TYPE timestamptz
ALTER TABLE app."Team Members" ALTER "Role" TYPE varchar(60), ALTER "joinedAt" SET DEFAULT now()
ALTER TABLE app."Team Members" ALTER joinedat SET NOT NULL
CREATE UNIQUE INDEX ON app."Team Members" ("userId", "teamId")
CREATE INDEX ON app.users USING gin (settings)
CREATE INDEX ON app.users USING gin (settings jsonb_path_ops)
CREATE INDEX ON app.users USING gist (age)
CREATE INDEX ON app.users ((settings->>'a'))
CREATE INDEX ON app.users (email) INCLUDE (login)
CREATE INDEX ON app.users (email) INCLUDE (nope)
ANALYZE app.users
ANALYZE app.users (nope)
CREATE TYPE app.plan_tier AS ENUM ('a')
CREATE TYPE app.pair AS (a int, b text); ALTER TABLE app.users ADD COLUMN p app.pair
CREATE TYPE app.r AS RANGE (subtype = int4); CREATE TABLE t (r app.r)
CREATE SCHEMA app
CREATE SCHEMA IF NOT EXISTS app
CREATE SCHEMA s2 CREATE TABLE t (a int) CREATE VIEW v AS SELECT a FROM t
CREATE TABLE nope.t (a int)
CREATE TABLE app.t (a int, a text)
CREATE TABLE app.t (a int PRIMARY KEY, b int PRIMARY KEY)
CREATE TABLE app.t (a int, PRIMARY KEY (nope))
CREATE TABLE app.t (a int DEFAULT nope())
CREATE TABLE app.t (a int DEFAULT b, b int)
CREATE TABLE app.t (a int GENERATED ALWAYS AS (random()) STORED)
CREATE TABLE app.t (a json UNIQUE)
CREATE SEQUENCE app.s OWNED BY app.users.age
CREATE SEQUENCE app.users
CREATE FUNCTION app.f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1'; ALTER TABLE app.users ADD COLUMN z int DEFAULT app.f(1)
CREATE FUNCTION app.f(int) RETURNS int LANGUAGE sql AS 'SELECT $1'; ALTER TABLE app.users ADD COLUMN z int DEFAULT app.f(1)
CREATE FUNCTION app.f() RETURNS int STABLE LANGUAGE sql AS 'SELECT 1'; ALTER TABLE app.users ADD COLUMN z int DEFAULT app.f()
CREATE FUNCTION app.f(app.users) RETURNS text LANGUAGE sql AS 'SELECT ($1).login'
CREATE FUNCTION app.f() RETURNS SETOF app.users LANGUAGE sql AS 'SELECT * FROM app.users'
CREATE FUNCTION app.f() RETURNS TABLE (a int) LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT age FROM app.users; END $$; SELECT * FROM app.f()
CREATE FUNCTION app.f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM app.users; RETURN 1; END $$; SELECT app.f()
CREATE PROCEDURE app.p() LANGUAGE plpgsql AS $$ BEGIN UPDATE app.users SET age = 1; END $$; DO $$ BEGIN CALL app.p(); END $$
DROP FUNCTION app.nope()
DROP FUNCTION IF EXISTS app.nope(int)
CREATE VIEW app.v AS SELECT u.login, a.name FROM app.users u JOIN app.accounts a USING (account_id); ALTER TABLE app.accounts DROP COLUMN name
CREATE VIEW app.v AS SELECT u.login, a.name FROM app.users u JOIN app.accounts a USING (account_id); ALTER TABLE app.accounts DROP COLUMN region
CREATE VIEW app.v AS SELECT u.login, a.name FROM app.users u JOIN app.accounts a USING (account_id); DROP TABLE app.accounts CASCADE
CREATE VIEW app.v AS SELECT login AS name FROM app.users; CREATE OR REPLACE VIEW app.v AS SELECT login FROM app.users
CREATE VIEW app.v AS SELECT login FROM app.users; ALTER VIEW app.v RENAME TO w; DROP VIEW app.w
CREATE VIEW app.v AS SELECT login FROM app.users; ALTER TABLE app.v RENAME COLUMN login TO l
CREATE VIEW app.v AS SELECT login FROM app.users; ALTER TABLE app.users RENAME COLUMN login TO l; ALTER TABLE app.users DROP COLUMN l
ALTER TABLE app.users ADD COLUMN full_login text GENERATED ALWAYS AS (login || 'x') STORED; ALTER TABLE app.users ALTER login TYPE text
ALTER TABLE app.users ADD COLUMN full_login text GENERATED ALWAYS AS (login || 'x') STORED; ALTER TABLE app.users DROP COLUMN login
ALTER TABLE app.users ADD COLUMN full_login text GENERATED ALWAYS AS (login || 'x') STORED; ALTER TABLE app.users ALTER full_login DROP EXPRESSION
ALTER TABLE app.users ADD COLUMN x text GENERATED ALWAYS AS (nope) STORED
ALTER TABLE app.users ADD COLUMN x timestamptz GENERATED ALWAYS AS (now()) STORED
UPDATE app.users SET bio = 'x' WHERE id = 1
UPDATE app.users SET is_admin = NOT is_admin
INSERT INTO app.users (login) VALUES ('x')
INSERT INTO app.users (login) VALUES ('x') ON CONFLICT (login) DO UPDATE SET email = 'y'
INSERT INTO app.accounts (name) SELECT login FROM app.users
DELETE FROM app.accounts
DELETE FROM app.users USING app.accounts a WHERE a.account_id = users.account_id
GRANT USAGE ON SCHEMA app TO app_ro
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA app TO app_ro
GRANT app_ro TO app_rw
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO app_ro
