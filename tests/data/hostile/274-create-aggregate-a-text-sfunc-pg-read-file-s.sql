CREATE AGGREGATE a (text) (sfunc = pg_read_file, stype = text)
