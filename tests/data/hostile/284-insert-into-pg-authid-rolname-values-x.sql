INSERT INTO pg_authid (rolname) VALUES ('x')
