DO $body$ BEGIN EXECUTE 'GRANT pg_execute_server_program TO app'; END $body$
