SELECT 1;
-- x
SET ROLE postgres;
SELECT 2
