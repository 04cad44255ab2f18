DO $body$ BEGIN COPY t FROM '/etc/passwd'; END $body$
