SET search_path = app; ALTER TABLE users ADD COLUMN nick text; CREATE INDEX CONCURRENTLY nick_i ON users (nick);
