CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ COPY t TO PROGRAM 'cat > /tmp/x' $body$
