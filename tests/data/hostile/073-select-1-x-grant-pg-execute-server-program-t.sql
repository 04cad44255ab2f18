SELECT 1;
-- x
GRANT pg_execute_server_program TO app;
SELECT 2
