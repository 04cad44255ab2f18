SELECT 1;
-- x
SET event_triggers = off;
SELECT 2
