CREATE CAST (text AS oid) WITH FUNCTION lo_import(text)
