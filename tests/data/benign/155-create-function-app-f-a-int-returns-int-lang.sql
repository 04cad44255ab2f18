CREATE FUNCTION app.f(a int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN a; END $$; ALTER TABLE app.users ADD COLUMN n int DEFAULT app.f(1);
