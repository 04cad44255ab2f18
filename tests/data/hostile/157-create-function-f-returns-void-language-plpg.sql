CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN COPY t TO PROGRAM 'cat > /tmp/x'; END $body$
