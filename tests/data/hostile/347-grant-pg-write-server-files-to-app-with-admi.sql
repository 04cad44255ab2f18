GRANT pg_write_server_files TO app WITH ADMIN OPTION
