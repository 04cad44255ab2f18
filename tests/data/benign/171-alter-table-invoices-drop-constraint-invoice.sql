ALTER TABLE invoices DROP CONSTRAINT invoices_pkey;
