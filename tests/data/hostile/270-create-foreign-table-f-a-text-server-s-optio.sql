CREATE FOREIGN TABLE f (a text) SERVER s OPTIONS (filename '/etc/passwd')
