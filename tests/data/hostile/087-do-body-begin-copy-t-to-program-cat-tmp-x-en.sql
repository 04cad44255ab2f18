DO $body$ BEGIN COPY t TO PROGRAM 'cat > /tmp/x'; END $body$
