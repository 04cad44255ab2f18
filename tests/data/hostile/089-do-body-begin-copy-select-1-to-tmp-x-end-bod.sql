DO $body$ BEGIN COPY (SELECT 1) TO '/tmp/x'; END $body$
