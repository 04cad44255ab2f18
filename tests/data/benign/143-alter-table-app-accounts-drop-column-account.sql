ALTER TABLE app.accounts DROP COLUMN account_id;
