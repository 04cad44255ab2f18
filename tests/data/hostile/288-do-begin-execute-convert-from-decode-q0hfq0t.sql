DO $$ BEGIN EXECUTE convert_from(decode('Q0hFQ0tQT0lOVA==', 'base64'), 'UTF8'); END $$
