CREATE TABLE ledger (id bigint PRIMARY KEY, invoice bigint REFERENCES invoices); ALTER TABLE ledger ADD COLUMN r float8 DEFAULT random(); INSERT INTO ledger SELECT id, id FROM invoices;
