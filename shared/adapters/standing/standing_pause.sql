-- The acts of a pause, in their order, and what follows behind RESUME. Each holds its attempt first
-- (standing_attempt.sql), so an order that comes late has no effect.
-- What a later act of the same side makes durable anyway does not wait for the disk itself
-- (`do_not_flush`): the marker flushes the fence, the commit what was replicated and the new names,
-- consent the old side's.
SET ROLE bg_owner;

-- Fence the old side for an attempt.
CREATE OR REPLACE FUNCTION bluegreen.fence_old(number bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM bluegreen.hold(number, 'old');
  PERFORM bluegreen.do_not_flush();
  RETURN bluegreen.fence();
END $$;

-- A row that the live stream carries: when it is there, so is all that was committed before it.
CREATE OR REPLACE FUNCTION bluegreen.write_marker(its_token text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO bluegreen_job.marker (token) VALUES (its_token);
END $$;

-- Wait for a marker; false when the limit is over.
CREATE OR REPLACE FUNCTION bluegreen.see_marker(its_token text, limit_ms integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  until timestamptz := clock_timestamp() + limit_ms * interval '1 millisecond';
BEGIN
  WHILE NOT EXISTS (SELECT FROM bluegreen_job.marker WHERE token = its_token) LOOP
    IF clock_timestamp() > until THEN
      RETURN false;
    END IF;
    PERFORM pg_sleep(0.0005);
  END LOOP;
  RETURN true;
END $$;

-- Wait for a marker and make everything up to it durable; false when the limit is over.
-- The transactional message gives this transaction a commit record, which lies behind the marker's
-- and is flushed by synchronous_commit. (Its `flush` argument is of 17 and later.)
CREATE OR REPLACE FUNCTION bluegreen.await_marker(its_token text, limit_ms integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT bluegreen.see_marker(its_token, limit_ms) THEN
    RETURN false;
  END IF;
  PERFORM pg_logical_emit_message(true, 'bluegreen', '');
  RETURN true;
END $$;

-- What the old side writes in the transaction that opens it again. The live stream carries it ahead of
-- everything that the application writes from then on, and it passes only where the names are those
-- that such rows were written under: else rows would land in columns that mean something else.
CREATE OR REPLACE FUNCTION bluegreen.reopened(number bigint) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT 'reopened ' || number $$;

-- Trigger of the job's marker, for rows that replication brings. An error stops the stream there, and
-- the slot keeps the rest; `give_back` starts it again. The row lock makes it one order with
-- `prepare_new`, which looks for the same marker.
CREATE OR REPLACE FUNCTION bluegreen.expect_names_of_stream() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held bluegreen.attempt;
BEGIN
  SELECT * INTO held FROM bluegreen.attempt
   WHERE bluegreen.reopened(attempt) = NEW.token FOR UPDATE;
  IF held.renamed THEN
    RAISE EXCEPTION 'the side that this one follows was opened again, and attempt % has given the '
      'tables here other names', held.attempt
      USING HINT = 'The attempt is settled once this side answers; the stream then goes on.';
  END IF;
  RETURN NEW;
END $$;

-- Whether that trigger stands. A job that an earlier version began has none: its stream may not outlast
-- the pause.
CREATE OR REPLACE FUNCTION bluegreen.holds_back() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass('bluegreen_job.marker')
                 AND tgname = 'expect_names_of_stream' AND tgenabled IN ('R', 'A'))
$$;

-- The slot of the stream that will lead back, made before the pause since it takes many flushes.
-- What the live stream still applies after this lies in the slot's future; `prepare_old` skips it.
-- A plain read of the attempt: a row lock would make the slot wait for itself.
CREATE OR REPLACE FUNCTION bluegreen.create_return_slot(number bigint) RETURNS pg_lsn
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  way_back text;
BEGIN
  SELECT bluegreen.stream(bluegreen.opposite(way)) INTO way_back FROM bluegreen.attempt
   WHERE attempt = number AND side = 'new' AND state = 'open'
     AND NOT EXISTS (SELECT FROM bluegreen.attempt AS newer WHERE newer.attempt > number);
  IF way_back IS NULL THEN
    RAISE EXCEPTION 'attempt % may not act here', number USING ERRCODE = 'BG001';
  END IF;
  RETURN (SELECT lsn FROM pg_create_logical_replication_slot(way_back, 'pgoutput'));
END $$;

-- The new side made ready in one transaction: names, sequences. `apart_at` is where this side's own
-- history begins: behind all that was replicated to it, before any write of the application.
-- The live stream stays until `part`: the end of its two processes costs milliseconds in which clients
-- would wait. The old side is fenced; should it open again, `expect_names_of_stream` holds its rows.
-- A server that cannot filter by origin (15) would also take the returning stream's rows back from it.
CREATE OR REPLACE FUNCTION bluegreen.prepare_new(
  number bigint, positions jsonb, OUT sequences_moved integer, OUT apart_at pg_lsn,
  OUT at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET deadlock_timeout = '10ms' AS $$
DECLARE
  held bluegreen.attempt := bluegreen.hold(number, 'new');
BEGIN
  IF EXISTS (SELECT FROM bluegreen_job.marker WHERE token = bluegreen.reopened(number)) THEN
    RAISE EXCEPTION 'attempt % may not act here: the old side is open again', number
      USING ERRCODE = 'BG001';
  END IF;
  PERFORM bluegreen.do_not_flush();
  IF current_setting('server_version_num')::integer < 160000 OR NOT bluegreen.holds_back() THEN
    PERFORM bluegreen.set_subscription(held.way, false);
  END IF;
  PERFORM bluegreen.rename(number, held.way, true);
  sequences_moved := bluegreen.advance_sequences(positions, 0);
  apart_at := pg_current_wal_insert_lsn();
  at := clock_timestamp();
  UPDATE bluegreen.attempt SET apart_lsn = apart_at WHERE attempt = number;
END $$;

-- On the new side, once both committed and nobody is held: end the stream that led here. Before the
-- returning one begins.
CREATE OR REPLACE FUNCTION bluegreen.part(number bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held bluegreen.attempt := bluegreen.hold_committed(number, 'new');
BEGIN
  PERFORM bluegreen.set_subscription(held.way, false);
END $$;

-- Names on the old side. Nothing of it is seen before the attempt is decided, so the disk need not
-- have it yet.
CREATE OR REPLACE FUNCTION bluegreen.prepare_old(number bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET deadlock_timeout = '10ms' AS $$
DECLARE
  held bluegreen.attempt := bluegreen.hold(number, 'old');
BEGIN
  PERFORM bluegreen.do_not_flush();
  PERFORM bluegreen.rename(number, held.way, true);
END $$;

-- THE COMMIT POINT, on the new side: the attempt is decided and the fence lifted, or neither.
-- Returns what the attempt is now: only `committed` means that this side serves. `not_after` is of
-- this server's clock: an order that lay in a broken network until the pause was over changes nothing.
CREATE OR REPLACE FUNCTION bluegreen.commit_new(number bigint, not_after timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE bluegreen.attempt SET state = 'committed', decided_at = clock_timestamp()
   WHERE attempt = number AND side = 'new' AND state = 'open' AND clock_timestamp() <= not_after
     AND NOT EXISTS (SELECT FROM bluegreen.attempt AS newer WHERE newer.attempt > number);
  IF FOUND THEN
    IF to_regprocedure('bluegreen_job.at_cutover()') IS NOT NULL
       AND (SELECT way = 'forward' FROM bluegreen.attempt WHERE attempt = number) THEN
      PERFORM bluegreen_job.at_cutover();  -- with the commit point, or not at all
      IF clock_timestamp() > not_after THEN
        RAISE EXCEPTION 'what the file does in the pause took too long' USING ERRCODE = 'BG001';
      END IF;
    END IF;
    PERFORM bluegreen.lift();
  END IF;
  RETURN (SELECT state FROM bluegreen.attempt WHERE attempt = number);
END $$;

-- The old side's consent, after the commit point and before any route: from here on nobody reopens
-- the old side for this attempt, even one who cannot ask the new side. A crash may have lost what
-- `prepare_old` did; then it is done again here. Returns the attempt's state.
CREATE OR REPLACE FUNCTION bluegreen.commit_old(number bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET deadlock_timeout = '10ms' AS $$
DECLARE
  held bluegreen.attempt;
BEGIN
  UPDATE bluegreen.attempt SET state = 'committed', decided_at = clock_timestamp()
   WHERE attempt = number AND side = 'old' AND state = 'open'
     AND NOT EXISTS (SELECT FROM bluegreen.attempt AS newer WHERE newer.attempt > number)
  RETURNING * INTO held;
  IF FOUND AND NOT held.renamed THEN
    PERFORM bluegreen.rename(number, held.way, true);
  END IF;
  RETURN (SELECT state FROM bluegreen.attempt WHERE attempt = number);
END $$;

-- On the old side, once it consented: start the stream that leads back here where the new side's own
-- history begins. Without that start a server that cannot filter by origin (15) would send back what
-- came from here. The slot keeps what happens until then. Once: one that stopped since then has its
-- reasons. Returns whether the stream runs.
CREATE OR REPLACE FUNCTION bluegreen.begin_return(number bigint, apart_at pg_lsn) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held bluegreen.attempt := bluegreen.hold_committed(number, 'old');
  back text;
BEGIN
  IF NOT held.returning_stream THEN
    RETURN false;
  END IF;
  back := bluegreen.stream(bluegreen.opposite(held.way));
  IF NOT held.return_begun THEN
    PERFORM pg_replication_origin_advance('pg_' || oid, apart_at) FROM pg_subscription
      WHERE subname = back AND NOT subenabled
        AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database());
    PERFORM bluegreen.set_subscription(bluegreen.opposite(held.way), true);
    UPDATE bluegreen.attempt SET return_begun = true WHERE attempt = number;
  END IF;
  RETURN EXISTS (SELECT FROM pg_subscription WHERE subname = back AND subenabled);
END $$;

-- Read what a new session reads first, so that it finds catalogs and tables in memory. What only a
-- superuser may read stays cold for an owner that is none.
CREATE OR REPLACE FUNCTION bluegreen.warm() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  relation regclass;
  touched integer := 0;
BEGIN
  FOREACH relation IN ARRAY ARRAY['pg_class', 'pg_attribute', 'pg_index', 'pg_proc', 'pg_type',
      'pg_operator', 'pg_statistic', 'pg_trigger', 'pg_constraint', 'pg_attrdef', 'pg_rewrite',
      'pg_authid', 'pg_depend']::regclass[] LOOP
    BEGIN
      EXECUTE format('SELECT count(*) FROM %s', relation);
    EXCEPTION WHEN insufficient_privilege THEN
      NULL;
    END;
  END LOOP;
  FOR relation IN SELECT oid FROM pg_class WHERE relkind IN ('r', 'p')
                  AND relnamespace NOT IN ('pg_catalog'::regnamespace,
                                           'information_schema'::regnamespace) LOOP
    IF has_table_privilege(relation, 'SELECT') THEN
      EXECUTE format('SELECT FROM %s LIMIT 1', relation);
      touched := touched + 1;
    END IF;
  END LOOP;
  RETURN touched;
END $$;

RESET ROLE;
