SELECT * FROM pg_shadow
