ALTER TABLE app.users ALTER COLUMN login TYPE varchar(64) COLLATE "C";
