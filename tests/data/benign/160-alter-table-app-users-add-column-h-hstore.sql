ALTER TABLE app.users ADD COLUMN h hstore;
