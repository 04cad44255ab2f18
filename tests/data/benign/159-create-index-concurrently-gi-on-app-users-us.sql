CREATE INDEX CONCURRENTLY gi ON app.users USING gin (settings jsonb_path_ops);
