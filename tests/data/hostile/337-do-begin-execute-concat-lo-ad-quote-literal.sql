DO $$ BEGIN EXECUTE concat('LO', 'AD ', quote_literal('x')); END $$
