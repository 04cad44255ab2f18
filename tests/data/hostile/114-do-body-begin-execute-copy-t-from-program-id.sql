DO $body$ BEGIN EXECUTE 'COPY t FROM PROGRAM ''id'''; END $body$
