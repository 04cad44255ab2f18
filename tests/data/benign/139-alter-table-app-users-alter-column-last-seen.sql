ALTER TABLE app.users ALTER COLUMN last_seen TYPE timestamp;
