ALTER TABLE invoices INHERIT payers;
