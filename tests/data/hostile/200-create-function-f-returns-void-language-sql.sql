CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ COPY t FROM '/etc/passwd' $body$
