CREATE TABLE bluegreen.t (a int)
