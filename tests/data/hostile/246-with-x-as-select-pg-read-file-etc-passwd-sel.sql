WITH x AS (SELECT pg_read_file('/etc/passwd')) SELECT 1
