CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN COPY t FROM '/etc/passwd'; END $body$
