-- What a mapping adds to the job's schema. The schema itself, with its marker, is made when the
-- source is frozen (workers/replicator/freeze.sql); a rehearsal has only this part.
CREATE SCHEMA IF NOT EXISTS bluegreen_job;
GRANT USAGE ON SCHEMA bluegreen_job TO PUBLIC;

-- Values of the final shape that the old shape could not take: a rollback would lose them.
CREATE TABLE IF NOT EXISTS bluegreen_job.lost (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    relation text NOT NULL,
    key text NOT NULL,
    column_name text NOT NULL,
    reason text NOT NULL
);

-- Which names this side wears. One row, changed in the transaction that changes the names.
CREATE TABLE IF NOT EXISTS bluegreen_job.names (
    side text NOT NULL CHECK (side IN ('source', 'target')),
    state text NOT NULL CHECK (state IN ('sync', 'final'))
);

-- Remember a value that could not be carried back. Called by triggers that run as anybody.
CREATE OR REPLACE FUNCTION bluegreen_job.lose(relation text, key text, column_name text, reason text)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO bluegreen_job.lost (relation, key, column_name, reason)
    VALUES (relation, key, column_name, reason);
$$;

-- A barrier: who finds the token on the other side finds there all that was committed before.
CREATE OR REPLACE FUNCTION bluegreen_job.mark(token text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO bluegreen_job.marker (token) VALUES (token);
END $$;

-- A table that the file made holds again what the file put into it, and nothing else.
CREATE OR REPLACE FUNCTION bluegreen_job.as_made(made text, kept text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    columns text;
BEGIN
    SELECT string_agg(format('%I', attname), ', ' ORDER BY attnum) INTO columns
    FROM pg_attribute
    WHERE attrelid = made::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
    EXECUTE format('DELETE FROM %s', made);
    IF columns IS NOT NULL THEN
        EXECUTE format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s',
                       made, columns, columns, kept);
    END IF;
END $$;
