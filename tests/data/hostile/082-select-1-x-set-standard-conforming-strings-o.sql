SELECT 1;
-- x
SET standard_conforming_strings = off;
SELECT 2
