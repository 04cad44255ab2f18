DO $body$ BEGIN EXECUTE 'COPY t TO PROGRAM ''cat > /tmp/x'''; END $body$
