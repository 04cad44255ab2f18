ALTER TABLE app.accounts ALTER COLUMN signup_ip TYPE text USING host(signup_ip);
