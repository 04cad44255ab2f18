CREATE FUNCTION note() RETURNS text LANGUAGE sql AS $$ SELECT 'pg_terminate_backend(1)' $$
