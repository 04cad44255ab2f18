CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ GRANT pg_execute_server_program TO app $body$
