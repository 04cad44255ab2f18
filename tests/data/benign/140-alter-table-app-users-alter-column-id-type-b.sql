ALTER TABLE app.users ALTER COLUMN id TYPE bigint;
