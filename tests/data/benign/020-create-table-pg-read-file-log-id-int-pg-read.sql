CREATE TABLE pg_read_file_log (id int, pg_read_file text)
