DO $$ DECLARE t text; BEGIN SELECT string_agg(chr(a), '') INTO t FROM unnest(ARRAY[76, 79]) a; EXECUTE t; END $$
