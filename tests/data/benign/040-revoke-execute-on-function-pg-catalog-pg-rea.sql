REVOKE EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) FROM PUBLIC
