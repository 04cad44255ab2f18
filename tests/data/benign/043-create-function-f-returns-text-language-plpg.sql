CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN RETURN current_user; END $$
