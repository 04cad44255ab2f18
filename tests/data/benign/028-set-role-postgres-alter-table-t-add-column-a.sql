-- SET ROLE postgres
ALTER TABLE t ADD COLUMN a int
