CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$
