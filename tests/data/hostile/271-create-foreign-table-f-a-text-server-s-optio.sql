CREATE FOREIGN TABLE f (a text) SERVER s OPTIONS (program 'id')
