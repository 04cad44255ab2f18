SELECT 1;
-- x
CREATE TABLE bluegreen.t (a int);
SELECT 2
