ALTER TABLE payments ALTER CONSTRAINT payments_invoice_fk DEFERRABLE;
