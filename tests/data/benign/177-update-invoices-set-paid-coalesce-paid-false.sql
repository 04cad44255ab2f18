UPDATE invoices SET paid = coalesce(paid, false); ALTER TABLE invoices ALTER COLUMN paid SET NOT NULL;
