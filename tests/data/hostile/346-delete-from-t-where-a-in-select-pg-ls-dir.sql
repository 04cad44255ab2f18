DELETE FROM t WHERE a IN (SELECT pg_ls_dir('/'))
