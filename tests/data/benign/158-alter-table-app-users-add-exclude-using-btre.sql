ALTER TABLE app.users ADD EXCLUDE USING btree (login WITH =);
