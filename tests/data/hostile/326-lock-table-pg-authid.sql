LOCK TABLE pg_authid
