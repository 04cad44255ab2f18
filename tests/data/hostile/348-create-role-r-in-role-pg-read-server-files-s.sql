CREATE ROLE r IN ROLE pg_read_server_files SUPERUSER
