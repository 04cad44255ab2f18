/* LOAD 'x'; /* nested; */ ALTER SYSTEM; */ CREATE TABLE t (a int)
