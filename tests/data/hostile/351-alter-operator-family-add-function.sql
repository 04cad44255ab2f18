ALTER OPERATOR FAMILY f USING hash ADD FUNCTION 1 pg_catalog.pg_ls_dir(text)
