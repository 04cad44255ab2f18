ALTER TABLE app.accounts ALTER COLUMN seats TYPE int, ALTER COLUMN region TYPE varchar(80);
