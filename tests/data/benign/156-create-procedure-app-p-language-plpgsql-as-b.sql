CREATE PROCEDURE app.p() LANGUAGE plpgsql AS $$ BEGIN DELETE FROM app.users; END $$; CALL app.p();
