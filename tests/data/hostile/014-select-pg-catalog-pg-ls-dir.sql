SELECT pg_catalog.pg_ls_dir('/')
