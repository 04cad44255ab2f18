CREATE TABLE program (role_id int, pg_stat_file text)
