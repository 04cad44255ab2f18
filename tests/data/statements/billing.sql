-- One migration file per line, each over the same schema; nothing of it is kept.
ALTER TABLE invoices ALTER amount TYPE numeric(12,2)
ALTER TABLE invoices ALTER amount TYPE numeric
ALTER TABLE invoices ALTER memo TYPE text
ALTER TABLE invoices ALTER memo TYPE varchar(300)
ALTER TABLE invoices ALTER number TYPE varchar(60)
ALTER TABLE invoices ALTER number TYPE text
ALTER TABLE invoices ALTER id TYPE int
ALTER TABLE invoices ALTER currency TYPE text
ALTER TABLE invoices ALTER issued_at TYPE timestamptz
ALTER TABLE invoices ALTER issued_at TYPE date
ALTER TABLE invoices ALTER due_on TYPE timestamptz
ALTER TABLE invoices ALTER due_on TYPE text
ALTER TABLE invoices ALTER paid TYPE int USING paid::int
ALTER TABLE invoices ALTER paid TYPE text
ALTER TABLE invoices ALTER paid SET NOT NULL
ALTER TABLE invoices ALTER memo SET NOT NULL, ALTER amount DROP NOT NULL
ALTER TABLE invoices DROP CONSTRAINT invoices_memo_set, ALTER memo SET NOT NULL
ALTER TABLE invoices VALIDATE CONSTRAINT invoices_amount_nonneg
ALTER TABLE payments VALIDATE CONSTRAINT payments_method_set
ALTER TABLE payments VALIDATE CONSTRAINT payments_method_set; ALTER TABLE payments ALTER method SET NOT NULL
ALTER TABLE payments VALIDATE CONSTRAINT payments_invoice_fk
ALTER TABLE payments VALIDATE CONSTRAINT payments_pkey
ALTER TABLE payments DROP CONSTRAINT payments_invoice_fk
ALTER TABLE payments ADD CONSTRAINT payments_invoice_fk FOREIGN KEY (invoice_id) REFERENCES invoices
ALTER TABLE payments ADD CONSTRAINT p2 FOREIGN KEY (invoice_id) REFERENCES invoices (number)
ALTER TABLE payments ADD CONSTRAINT p2 FOREIGN KEY (invoice_id) REFERENCES invoices ON DELETE CASCADE NOT VALID
ALTER TABLE payments ALTER raw TYPE jsonb USING raw::jsonb
ALTER TABLE payments ALTER raw TYPE jsonb USING to_jsonb(raw)
ALTER TABLE payments ALTER attempt TYPE int
ALTER TABLE payments ALTER id TYPE int
ALTER TABLE payments ADD UNIQUE (raw)
ALTER TABLE rates ADD PRIMARY KEY (code)
ALTER TABLE rates ADD PRIMARY KEY USING INDEX rates_code_day_uq
ALTER TABLE invoices ADD CONSTRAINT n PRIMARY KEY USING INDEX invoices_number_uq
ALTER TABLE invoices DROP CONSTRAINT invoices_pkey CASCADE, ADD CONSTRAINT n PRIMARY KEY USING INDEX invoices_number_uq
ALTER TABLE invoices ADD CONSTRAINT n UNIQUE USING INDEX invoices_due_idx
ALTER TABLE rates ADD CONSTRAINT e EXCLUDE USING btree (code WITH =, day WITH =)
ALTER TABLE rates ADD CONSTRAINT e EXCLUDE USING gist (daterange(day, day, '[]') WITH &&)
ALTER TABLE rates ADD CONSTRAINT e EXCLUDE USING gist (code WITH =, daterange(day, day, '[]') WITH &&)
ALTER TABLE rates RENAME TO exchange_rates; ALTER INDEX rates_code_day_uq RENAME TO er_uq; ALTER TABLE exchange_rates ADD CONSTRAINT er PRIMARY KEY USING INDEX er_uq
ALTER TABLE rates INHERIT payers
ALTER TABLE invoices ADD CONSTRAINT invoices_amount_nonneg CHECK (amount > 1)
ALTER TABLE invoices RENAME CONSTRAINT nope TO x
ALTER TABLE invoices ALTER CONSTRAINT invoices_amount_nonneg DEFERRABLE
DROP TABLE payers, invoices
DROP TABLE invoices CASCADE
DROP TABLE payments, invoices
ALTER TABLE invoices DROP COLUMN memo
ALTER TABLE invoices DROP COLUMN number, DROP COLUMN due_on
ALTER TABLE invoices ADD COLUMN number2 text; UPDATE invoices SET number2 = number; ALTER TABLE invoices DROP COLUMN number; ALTER TABLE invoices RENAME number2 TO number
BEGIN; ALTER TABLE invoices ADD CONSTRAINT m2 CHECK (payer_id IS NOT NULL) NOT VALID; COMMIT; ALTER TABLE invoices VALIDATE CONSTRAINT m2; ALTER TABLE invoices ALTER payer_id SET NOT NULL; ALTER TABLE invoices DROP CONSTRAINT m2
INSERT INTO payments (invoice_id) VALUES (1)
UPDATE payments SET amount = amount * 2
UPDATE payments SET invoice_id = 1
UPDATE payments SET invoice_id = 1 WHERE id = 3
DELETE FROM payments WHERE id = 3
DELETE FROM invoices WHERE id = 3
COMMENT ON CONSTRAINT invoices_memo_set ON invoices IS 'x'
COMMENT ON INDEX invoices_due_idx IS 'x'
