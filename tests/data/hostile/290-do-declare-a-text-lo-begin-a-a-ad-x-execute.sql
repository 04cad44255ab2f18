DO $$ DECLARE a text := 'LO'; BEGIN a := a || 'AD ''x'''; EXECUTE a; END $$
