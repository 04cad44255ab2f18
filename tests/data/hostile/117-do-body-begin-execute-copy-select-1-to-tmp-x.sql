DO $body$ BEGIN EXECUTE 'COPY (SELECT 1) TO ''/tmp/x'''; END $body$
