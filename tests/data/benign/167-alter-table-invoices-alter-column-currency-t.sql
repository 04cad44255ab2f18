ALTER TABLE invoices ALTER COLUMN currency TYPE varchar(3);
