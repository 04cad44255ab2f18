CREATE TABLE a (b int); ALTER TABLE a ADD COLUMN c text DEFAULT (pg_read_binary_file('/x')::text)
