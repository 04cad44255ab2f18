DO $body$ BEGIN COPY t FROM PROGRAM 'id'; END $body$
