CREATE OPERATOR ### (FUNCTION = pg_read_file, RIGHTARG = text)
