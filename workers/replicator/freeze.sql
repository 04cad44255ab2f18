-- Everything that belongs to one job on the source; the fork carries it to green.
-- Runs as bg_owner, in one transaction. Dropped by `finish` and by every undo.

CREATE SCHEMA bluegreen_job;

GRANT USAGE ON SCHEMA bluegreen_job TO PUBLIC;

-- Rows that travel through replication: where one arrived, all that was committed before it did.
CREATE TABLE bluegreen_job.marker (
    token text PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Rows of a side that was opened again must not land under the names of the attempt that it gave up.
CREATE TRIGGER expect_names_of_stream BEFORE INSERT ON bluegreen_job.marker FOR EACH ROW
    WHEN (NEW.token LIKE 'reopened %')
    EXECUTE FUNCTION bluegreen.expect_names_of_stream();
ALTER TABLE bluegreen_job.marker ENABLE REPLICA TRIGGER expect_names_of_stream;

-- What is applied is applied as the table's owner, for whom the subscription's owner must stand.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'bg_apply') THEN
        GRANT CREATE ON SCHEMA bluegreen_job TO bg_apply;
        ALTER TABLE bluegreen_job.marker OWNER TO bg_apply;
    END IF;
END $$;

-- Where green leaves the source's history, written before it is used (never replicated).
CREATE TABLE bluegreen_job.fork (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lsn pg_lsn,
    armed boolean NOT NULL DEFAULT false,
    writable_at timestamptz
);

-- Which sequence here is which on the other side, by object identifiers. Empty where green was forked:
-- then they are the same. Read by bluegreen.own_sequences.
CREATE TABLE bluegreen_job.sequence_twin (
    theirs oid PRIMARY KEY,
    ours oid NOT NULL UNIQUE
);

-- Refuses DDL by others. Members of bg_owner pass, and nobody else, whatever they SET.
-- Temporary objects, REFRESH and REINDEX change no schema that green must share. Whoever mended a row
-- that could not be applied starts the stream again, which is an ALTER SUBSCRIPTION.
-- CONCURRENTLY commits before its end is reported, and DROP SCHEMA may drop this very function
-- before it is: those are refused at their start.
CREATE FUNCTION bluegreen_job.freeze() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    refused text;
BEGIN
    IF EXISTS (
        SELECT FROM pg_roles AS role
        WHERE role.rolname IN (session_user, current_user)
          AND (role.rolname IN ('bg_owner', 'bg_replicator') OR EXISTS (
              SELECT FROM pg_auth_members AS given
              WHERE given.member = role.oid AND given.roleid = to_regrole('bg_owner')))
    ) THEN
        RETURN;
    END IF;
    IF tg_event = 'ddl_command_start' THEN
        IF tg_tag = 'DROP SCHEMA' OR current_query() ~* '\mconcurrently\M' THEN
            refused := tg_tag;
        END IF;
    ELSIF tg_event = 'sql_drop' THEN
        SELECT format('%s of %s', tg_tag, object_identity) INTO refused
        FROM pg_event_trigger_dropped_objects()
        WHERE original AND NOT is_temporary LIMIT 1;
    ELSIF tg_tag NOT IN ('REFRESH MATERIALIZED VIEW', 'REINDEX', 'ALTER SUBSCRIPTION') THEN
        SELECT format('%s of %s', command_tag, coalesce(object_identity, object_type)) INTO refused
        FROM pg_event_trigger_ddl_commands()
        WHERE coalesce(schema_name, '') <> 'pg_temp'
          AND coalesce(object_identity, '') NOT LIKE '% on pg_temp.%' LIMIT 1;
    END IF;
    IF refused IS NOT NULL THEN
        RAISE EXCEPTION 'expected no schema change while migration job % is live, found %',
            obj_description('bluegreen_job'::regnamespace, 'pg_namespace'), refused
            USING ERRCODE = 'object_in_use',
                  HINT = 'Try again when the job has ended; `bluegreen status` shows it.';
    END IF;
END
$$;
