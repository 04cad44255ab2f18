DO $body$ BEGIN EXECUTE 'COPY t FROM ''/etc/passwd'''; END $body$
